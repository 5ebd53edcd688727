/**
 * `GET /metrics`: all that is counted, in the text format of Prometheus, for callers with a key for all realms.
 */
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import * as Problem from "../../Problem.ts"
import * as Answers from "../http/Answers.ts"
import * as Callers from "../http/Callers.ts"
import * as Digest from "../http/Digest.ts"
import { failing } from "../http/Problems.ts"
import type { Route } from "../http/RouteTable.ts"
import type { ApiKeyStore } from "../store/ApiKeyStore.ts"

export const routes: ReadonlyArray<Route> = [{ method: "GET", path: "/metrics" }]

const authenticate = Effect.gen(function*() {
  const { headers } = yield* HttpServerRequest.HttpServerRequest
  const [, text] = /^bearer (\S+)$/i.exec(headers["authorization"] ?? "") ?? []
  if (text === undefined) return yield* Problem.make("unauthenticated")
  const digest = Digest.ofUnsafe(text)
  if (digest === undefined) return yield* Problem.make("invalid_key")
  const { find } = yield* Callers.Callers
  const { realms } = yield* find(digest, "read").pipe(
    Effect.catchTag("NotFound", () => Effect.fail(Problem.make("invalid_key"))),
    failing
  )
  if (realms !== "*") return yield* Problem.make("role_too_low", { detail: "this needs a key for all realms" })
})

const text = Effect.map(
  PrometheusMetrics.format(),
  (text) => HttpServerResponse.text(text, { contentType: "text/plain; version=0.0.4; charset=utf-8" })
)

export const layer: Layer.Layer<never, never, HttpRouter.HttpRouter | ApiKeyStore> = HttpRouter.use(
  Effect.fnUntraced(function*(router) {
    const callers = yield* Callers.Callers
    yield* router.add(
      "GET",
      "/metrics",
      Answers.answering(Effect.andThen(Effect.provideService(authenticate, Callers.Callers, callers), text))
    )
  })
).pipe(Layer.provide(Callers.layer))
