/**
 * Spans, metrics and logs to an OpenTelemetry collector, told by the names of OpenTelemetry's own settings.
 */
import type { Issue } from "@effect-identity/oauth/Setting"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Otlp from "effect/observability/Otlp"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"

const signals = ["LOGS", "METRICS", "TRACES"] as const

const variable = (name: string): Effect.Effect<string | undefined> =>
  Config.String(name).pipe(Config.withDefault(undefined), Effect.orElseSucceed(() => undefined))

const isWebAddress = (text: string): boolean => {
  const protocol = URL.parse(text)?.protocol
  return protocol === "http:" || protocol === "https:"
}

const withSignals = (prefix: string, suffix: string): ReadonlyArray<string> => [
  `${prefix}_${suffix}`,
  ...signals.map((signal) => `${prefix}_${signal}_${suffix}`)
]

const otlp = "OTEL_EXPORTER_OTLP"

const rules: ReadonlyArray<{
  readonly names: ReadonlyArray<string>
  readonly isFine: (text: string) => boolean
  readonly rule: string
}> = [
  { names: withSignals(otlp, "ENDPOINT"), isFine: isWebAddress, rule: "must be an http or https URL" },
  {
    names: withSignals(otlp, "COMPRESSION"),
    isFine: (text) => text === "gzip" || text === "none",
    rule: "must be gzip or none"
  },
  {
    names: [
      ...withSignals(otlp, "TIMEOUT"),
      "OTEL_BSP_EXPORT_TIMEOUT",
      "OTEL_BSP_SCHEDULE_DELAY",
      "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
      "OTEL_BLRP_EXPORT_TIMEOUT",
      "OTEL_BLRP_SCHEDULE_DELAY",
      "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE",
      "OTEL_METRIC_EXPORT_TIMEOUT",
      "OTEL_METRIC_EXPORT_INTERVAL"
    ],
    isFine: (text) => /^[1-9]\d{0,8}$/.test(text),
    rule: "must be a whole number from 1 on"
  },
  {
    names: ["OTEL_SDK_DISABLED"],
    isFine: (text) => text === "true" || text === "false",
    rule: "must be true or false"
  },
  {
    names: ["OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"],
    isFine: (text) => text === "delta" || text === "cumulative",
    rule: "must be delta or cumulative"
  },
  {
    names: [...withSignals(otlp, "HEADERS"), "OTEL_RESOURCE_ATTRIBUTES"],
    isFine: (text) => /^[^=,]+=[^,]*(?:,[^=,]+=[^,]*)*$/.test(text) && !/%(?![\da-f]{2})/i.test(text),
    rule: "must be name=value, commas between"
  }
]

/** What is wrong with them, by name. */
export const issues: Effect.Effect<ReadonlyArray<Issue>> = Effect.gen(function*() {
  const found: Array<Issue> = []
  for (const { isFine, names, rule } of rules) {
    for (const name of names) {
      const text = yield* variable(name)
      if (text !== undefined && text !== "" && !isFine(text)) found.push({ name, rule })
    }
  }
  return found
})

/** OpenTelemetry's own default, which the exporters here do not have: whoever names an endpoint wants it used. */
const defaults = ConfigProvider.fromUnknown(
  Object.fromEntries(signals.map((signal) => [`OTEL_${signal}_EXPORTER`, "otlp"]))
)

/** Exports nothing where no endpoint is set. What is buffered is sent when the layer closes. */
export const layer = (serviceVersion: string): Layer.Layer<never> =>
  Layer.unwrap(
    Effect.map(ConfigProvider.ConfigProvider, (provider) =>
      Otlp.layerFromConfig({ resource: { serviceName: "token-server", serviceVersion } }).pipe(
        Layer.provide(OtlpSerialization.layerJson),
        Layer.provide(NodeHttpClient.layerNodeHttp),
        Layer.provide(Layer.succeed(ConfigProvider.ConfigProvider, ConfigProvider.orElse(provider, defaults)))
      ))
  )
