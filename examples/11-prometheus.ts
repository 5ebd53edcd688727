/**
 * Like the one before, but its metrics wait to be scraped by Prometheus.
 */
import { WorkloadIdentity } from "@effect-identity/workload-identity"
import { NodeWorkloadIdentity } from "@effect-identity/workload-identity/node"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect } from "effect"
import { PrometheusMetrics } from "effect/observability"

const program = Effect.gen(function*() {
  const identity = yield* WorkloadIdentity.WorkloadIdentity
  for (let read = 0; read < 10; read++) yield* identity.accessToken
  yield* identity.refreshedAccessToken
  // `PrometheusMetrics.layerHttp` serves the same at /metrics.
  const metrics = yield* PrometheusMetrics.format()
  yield* Console.log(
    metrics.split("\n").filter((line) => /^token_cache_(?:answers|flights|last)/.test(line)).join("\n")
  )
})

NodeRuntime.runMain(Effect.provide(program, NodeWorkloadIdentity.layer))
