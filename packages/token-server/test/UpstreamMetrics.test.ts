import { Timeout } from "@effect-identity/oauth/OAuthError"
import { UpstreamFailed } from "@effect-identity/token-server/internal/Failure"
import * as UpstreamMetrics from "@effect-identity/token-server/internal/operation/UpstreamMetrics"
import { Upstream } from "@effect-identity/token-server/internal/upstream/Upstream"
import * as Realm from "@effect-identity/token-server/Realm"
import { assert, it } from "@effect/vitest"
import { Effect, Layer, Metric, Result } from "effect"
import { PrometheusMetrics } from "effect/observability"

it.effect("requests to upstreams are counted by realm and outcome", () =>
  Effect.gen(function*() {
    const realm = Result.getOrThrow(
      Realm.decode({ id: "wxgzh", comment: "", version: 1, config: { preset: "wechat" } })
    )
    const reason = new Timeout({ detail: "total" })
    const failing = Layer.succeed(
      Upstream,
      Upstream.of({
        obtain: () => Effect.fail(new UpstreamFailed({ reason, requestId: undefined, retryAfter: undefined }))
      })
    )
    yield* Upstream.use(({ obtain }) => Effect.ignore(obtain(realm, new Map(), Effect.void))).pipe(
      Effect.provide(Layer.provide(UpstreamMetrics.layer, failing))
    )
    assert.include(
      yield* PrometheusMetrics.format(),
      "token_server_upstream_requests{realm=\"wxgzh\",outcome=\"failure\"} 1"
    )
  }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))
