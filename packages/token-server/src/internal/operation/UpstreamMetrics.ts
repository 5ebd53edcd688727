/**
 * Requests for tokens to upstreams, counted by realm and outcome.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import { Upstream } from "../upstream/Upstream.ts"

const requests = Metric.counter("token_server.upstream.requests", {
  description: "Requests for a token to an upstream that came to an end",
  incremental: true
})

/** The upstream that is there, counted. Realms are made by administrators, so their ids may name series. */
export const layer: Layer.Layer<Upstream, never, Upstream> = Layer.effect(
  Upstream,
  Effect.map(Upstream, ({ obtain }) =>
    Upstream.of({
      obtain: (realm, values, beforeSend, isForced) =>
        Effect.onExit(obtain(realm, values, beforeSend, isForced), (exit) =>
          Metric.update(
            Metric.withAttributes(requests, { realm: realm.id, outcome: Exit.isSuccess(exit) ? "success" : "failure" }),
            1
          ))
    }))
)
