/**
 * The `HttpClient` for the platform's own endpoints over `node:http`. It follows no redirect, bounds the time to connect, and
 * what is done quietly (`Quiet`) has connections of its own that do not keep the process alive.
 *
 * @since 0.1.0
 */
import * as Quiet from "@effect-identity/oauth/Quiet"
import { HttpAgent, makeNodeHttp } from "@effect/platform-node/NodeHttpClient"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import { WorkloadConfig } from "../Config.ts"
import * as NodeHttpAgent from "./NodeHttpAgent.ts"

/**
 * The client over `node:http`. Follows no redirects, and keeps connections.
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<HttpClient.HttpClient, never, WorkloadConfig> = Layer.effect(
  HttpClient.HttpClient,
  Effect.gen(function*() {
    const { connectTimeout } = yield* WorkloadConfig
    const over = (hold: NodeHttpAgent.Hold) =>
      Effect.flatMap(
        NodeHttpAgent.make(NodeHttpAgent.direct(Duration.toMillis(connectTimeout), { hold })),
        (agent) => Effect.provideService(makeNodeHttp, HttpAgent, agent)
      )
    const client = yield* over("process")
    const quietClient = yield* over("nothing")
    return HttpClient.transform(
      client,
      (response, request) => Effect.flatMap(Quiet.Quiet, (isQuiet) => isQuiet ? quietClient.execute(request) : response)
    )
  })
)
