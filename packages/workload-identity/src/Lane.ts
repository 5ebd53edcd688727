/**
 * The lane of a process: a test environment of the platform that its requests are routed to.
 *
 * Lane headers go to the platform's own endpoints only, never to a third party.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import { WorkloadConfig } from "./Config.ts"

/**
 * The lane and the headers that stand for it.
 *
 * @stability unstable
 * @category services
 * @since 0.1.0
 */
export class Lane extends Context.Service<Lane, {
  readonly name: string | undefined
  readonly headers: Readonly<Record<string, string>>
}>()("@effect-identity/workload-identity/Lane") {}

/**
 * The lane of that name: `x-tt-env` for every lane, `x-use-ppe` too for those that begin with `ppe_`.
 *
 * @example
 * ```ts
 * import { Lane } from "@effect-identity/workload-identity"
 *
 * Lane.make("ppe_blue").headers // => { "x-tt-env": "ppe_blue", "x-use-ppe": "1" }
 * Lane.make(undefined).headers // => {}
 * ```
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make = (name: string | undefined): Lane["Service"] => ({
  name,
  headers: name === undefined
    ? {}
    : { "x-tt-env": name, ...(name.startsWith("ppe_") ? { "x-use-ppe": "1" } : {}) }
})

/**
 * What kind of lane a name stands for.
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const kindOf = (name: string | undefined): "none" | "boe" | "ppe" | "custom" => {
  if (name === undefined) return "none"
  if (name.startsWith("boe_")) return "boe"
  return name.startsWith("ppe_") ? "ppe" : "custom"
}

/**
 * The lane of the configuration.
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Lane, never, WorkloadConfig> = Layer.effect(
  Lane,
  Effect.map(WorkloadConfig, ({ lane }) => make(lane))
)

/**
 * A client whose requests stay in the lane.
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const apply = (lane: Lane["Service"], client: HttpClient.HttpClient): HttpClient.HttpClient =>
  HttpClient.mapRequest(client, HttpClientRequest.setHeaders(lane.headers))
