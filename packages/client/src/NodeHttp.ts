/**
 * An `HttpClient` over `node:http` for what this facade sends: small bodies that are there as a whole. It follows no redirect.
 */
import * as Quiet from "@effect-identity/oauth/Quiet"
import type { NodeHttpAgent } from "@effect-identity/workload-identity/node"
import * as Effect from "effect/Effect"
import type { HttpBody } from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import { HttpClientError, InvalidUrlError, TransportError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Http from "node:http"
import * as Https from "node:https"
import { NodeMessage } from "./NodeMessage.ts"

type Agents = ReturnType<typeof NodeHttpAgent.direct>

const bytesOf = (body: HttpBody): Uint8Array | undefined => body._tag === "Uint8Array" ? body.body : undefined

const open = (request: HttpClientRequest.HttpClientRequest, url: URL, agents: Agents) =>
  Effect.callback<NodeMessage, HttpClientError>((resume) => {
    const { headers, method } = request
    const outgoing = url.protocol === "https:"
      ? Https.request(url, { method, headers, agent: agents.https })
      : Http.request(url, { method, headers, agent: agents.http })
    // The listener stays: what fails after the answer has begun is told by its body.
    outgoing.on(
      "error",
      (cause) => resume(Effect.fail(new HttpClientError({ reason: new TransportError({ request, cause }) })))
    )
    outgoing.once("response", (source) => resume(Effect.succeed(new NodeMessage(request, source, url.href))))
    outgoing.end(bytesOf(request.body))
    return Effect.sync(() => outgoing.destroy())
  })

/** A connection is kept when its answer was read to the end, and ended with the scope when it was not. */
const release = ({ source }: NodeMessage) =>
  Effect.sync(() => {
    if (!source.readableEnded) source.destroy()
  })

const exchange = Effect.fnUntraced(function*(request: HttpClientRequest.HttpClientRequest, agents: Agents) {
  const url = HttpClientRequest.toUrl(request)
  if (Option.isNone(url)) {
    return yield* new HttpClientError({ reason: new InvalidUrlError({ request }) })
  }
  const message = yield* open(request, url.value, agents)
  const scope = yield* Effect.serviceOption(Scope.Scope)
  if (Option.isSome(scope)) yield* Scope.addFinalizer(scope.value, release(message))
  return message
})

/** A client over these connections; what is done quietly goes over others, which hold nothing. */
export const make = (agents: { readonly usual: Agents; readonly quiet: Agents }): HttpClient.HttpClient =>
  HttpClient.makeWith<HttpClientError, never, HttpClientError, never>(
    Effect.flatMap((request) =>
      Effect.flatMap(Quiet.Quiet, (isQuiet) => exchange(request, isQuiet ? agents.quiet : agents.usual))
    ),
    Effect.succeed
  )
