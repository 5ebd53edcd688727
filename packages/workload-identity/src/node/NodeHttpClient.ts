/**
 * The `HttpClient` for the platform's own endpoints over `node:http`. It sends bodies that are there as a whole, follows no
 * redirect, bounds the time to connect, and what is done quietly (`Quiet`) has connections of its own that do not keep the
 * process alive.
 *
 * @since 0.1.0
 */
import * as Quiet from "@effect-identity/oauth/Quiet"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import { EncodeError, HttpClientError, InvalidUrlError, TransportError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { WorkloadConfig } from "../Config.ts"
import { NodeMessage } from "./internal/NodeMessage.ts"
import * as NodeHttpAgent from "./NodeHttpAgent.ts"

/** What is sent is there as a whole: a form, or a text. */
const bytesOf = (
  request: HttpClientRequest.HttpClientRequest
): Effect.Effect<Uint8Array | undefined, HttpClientError> => {
  const { body } = request
  if (body._tag === "Uint8Array") return Effect.succeed(body.body)
  return body._tag === "Empty"
    ? Effect.undefined
    : Effect.fail(
      new HttpClientError({ reason: new EncodeError({ request, description: "the body must be there as a whole" }) })
    )
}

interface Outgoing {
  readonly url: URL
  readonly body: Uint8Array | undefined
  readonly agents: NodeHttpAgent.Agents
}

/** What came back stands here before anyone is told, so that it is let go of even when nobody waits any more. */
interface Begun {
  message: NodeMessage | undefined
}

class HungUp extends Error {
  readonly code = "ECONNRESET"
}

const send = (
  request: HttpClientRequest.HttpClientRequest,
  { agents, body, url }: Outgoing,
  begun: Begun
): Effect.Effect<NodeMessage, HttpClientError> =>
  Effect.callback((resume) => {
    const fail = (cause: unknown) =>
      resume(Effect.fail(new HttpClientError({ reason: new TransportError({ request, cause }) })))
    const { headers, method } = request
    try {
      const outgoing = NodeHttpAgent.request(agents, url, { method, headers })
      // The listener stays: what fails after the answer has begun is told by its body.
      outgoing.on("error", fail)
      outgoing.once("response", (source) => {
        begun.message = new NodeMessage(request, source, url.href)
        resume(Effect.succeed(begun.message))
      })
      // An answer that switches protocols is none, and Node says no more about it than this.
      outgoing.once("close", () => fail(new HungUp("closed without an answer")))
      outgoing.end(body)
      return Effect.sync(() => outgoing.destroy())
    } catch (cause) {
      // A header that cannot be sent.
      fail(cause)
      return undefined
    }
  })

/**
 * A connection is kept when its answer was read to the end, and ended with the scope when it was not. A server that hangs up with
 * its answer is noticed two turns of the event loop later, before anyone uses the connection again.
 */
const letGo = ({ message }: Begun) =>
  Effect.suspend(() => {
    if (message === undefined) return Effect.void
    if (message.source.readableEnded) return Effect.andThen(Effect.yieldNow, Effect.yieldNow)
    message.source.destroy()
    return Effect.void
  })

const exchange = Effect.fnUntraced(
  function*(request: HttpClientRequest.HttpClientRequest, agents: NodeHttpAgent.Agents) {
    const url = HttpClientRequest.toUrl(request)
    if (Option.isNone(url)) {
      return yield* new HttpClientError({ reason: new InvalidUrlError({ request }) })
    }
    const body = yield* bytesOf(request)
    const begun: Begun = { message: undefined }
    const scope = yield* Effect.serviceOption(Scope.Scope)
    if (Option.isSome(scope)) yield* Scope.addFinalizer(scope.value, Effect.suspend(() => letGo(begun)))
    return yield* send(request, { url: url.value, body, agents }, begun)
  }
)

/**
 * The connections of a client.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Connections {
  readonly usual: NodeHttpAgent.Agents
  /** For what is done quietly: those that hold nothing. */
  readonly quiet: NodeHttpAgent.Agents
}

/**
 * A client over these connections. A request whose body is a stream or a form with files fails with an `EncodeError`. An answer
 * that is not read to its end keeps its connection until the scope of the request ends (`HttpClient.withScope`).
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make = ({ quiet, usual }: Connections): HttpClient.HttpClient =>
  HttpClient.makeWith<HttpClientError, never, HttpClientError, never>(
    Effect.flatMap((request) => Effect.flatMap(Quiet.Quiet, (isQuiet) => exchange(request, isQuiet ? quiet : usual))),
    Effect.succeed
  )

/**
 * The client over `node:http`. Follows no redirects, and keeps connections until its scope is closed.
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<HttpClient.HttpClient, never, WorkloadConfig> = Layer.effect(
  HttpClient.HttpClient,
  Effect.gen(function*() {
    const { connectTimeout } = yield* WorkloadConfig
    const agents = (hold: NodeHttpAgent.Hold) =>
      NodeHttpAgent.make(NodeHttpAgent.direct(Duration.toMillis(connectTimeout), { hold }))
    return make({ usual: yield* agents("process"), quiet: yield* agents("nothing") })
  })
)
