/**
 * Like the first one, but its spans, metrics and logs go to an OpenTelemetry collector. The collector of this example tells
 * what has arrived.
 */
import { WorkloadIdentity } from "@effect-identity/workload-identity"
import { NodeWorkloadIdentity } from "@effect-identity/workload-identity/node"
import { NodeHttpClient, NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Layer } from "effect"
import { HttpClient } from "effect/http"
import { Otlp } from "effect/observability"

const collector = process.env["OTEL_EXPORTER_OTLP_ENDPOINT"] ?? "http://127.0.0.1:4318"

const layerTelemetry = Otlp.layerJson({ baseUrl: collector, resource: { serviceName: "example" } }).pipe(
  Layer.provide(NodeHttpClient.layerUndici)
)

const program = Effect.gen(function*() {
  const identity = yield* WorkloadIdentity.WorkloadIdentity
  yield* identity.accessToken
  yield* identity.accessToken
  yield* identity.refreshedAccessToken
}).pipe(Effect.withSpan("program"), Effect.provide([NodeWorkloadIdentity.layer, layerTelemetry]))

const arrived = HttpClient.get(collector).pipe(
  Effect.flatMap((response) => response.json),
  Effect.provide(NodeHttpClient.layerUndici)
)

// What is buffered is sent when the layer closes.
NodeRuntime.runMain(Effect.andThen(program, Effect.flatMap(arrived, (names) => Console.log(names))))
