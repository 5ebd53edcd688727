/**
 * The `HttpClient` for third parties: through the proxy when there is one, directly when there is none.
 *
 * Neither lane headers nor tokens of the workload are added. A failing proxy is never gone around. Like the other
 * transports of this package it does not follow redirects by itself (`HttpClient.followRedirects` does).
 *
 * @since 0.1.0
 */
import * as SecureRequest from "@effect-identity/oauth/SecureRequest"
import { HttpAgent, layerNodeHttpNoAgent } from "@effect/platform-node/NodeHttpClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Failure from "../internal/Failure.ts"
import type { WorkloadIdentityError } from "../WorkloadIdentityError.ts"
import * as ConnectAgent from "./ConnectAgent.ts"
import * as NodeHttpAgent from "./NodeHttpAgent.ts"
import { ProxyConfig } from "./ProxyConfig.ts"

/**
 * The client for third parties: through the proxy when one is set, and never around it.
 *
 * @stability unstable
 * @category services
 * @since 0.1.0
 */
export class ProxyHttpClient extends Context.Service<ProxyHttpClient, HttpClient.HttpClient>()(
  "@effect-identity/workload-identity/node/ProxyHttpClient"
) {}

/**
 * How long connections may take.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Milliseconds one connection may take to be made, CONNECT and TLS included. @default 5000 */
  readonly connectTimeout?: number | undefined
}

/**
 * The agents that connect as the configuration says, for whoever speaks `node:http` without this client.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const makeAgents = (
  { ca, proxy }: ProxyConfig["Service"],
  { connectTimeout = 5_000 }: Options = {}
): NodeHttpAgent.Agents => {
  const secureContext = ca?.toSecureContext()
  return proxy === undefined
    ? NodeHttpAgent.direct(connectTimeout, { secureContext })
    : NodeHttpAgent.whenUsed({
      http: () => ConnectAgent.makeHttp({ proxy, secureContext, connectTimeout }),
      https: () => ConnectAgent.makeHttps({ proxy, secureContext, connectTimeout })
    })
}

/**
 * What a failed request means to a caller of the Promise API: an error of step `http` whose `reason` tells a failing
 * proxy from a failing connection.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export const toError = (error: unknown): WorkloadIdentityError => {
  const reason = SecureRequest.reasonOf(error)
  return Failure.fromReason(reason, reason._tag === "Transport" || reason._tag === "Timeout")
}

const layerAgent = (options: Options) =>
  Layer.effect(HttpAgent, Effect.flatMap(ProxyConfig, (config) => NodeHttpAgent.make(makeAgents(config, options))))

/**
 * The client, for the proxy of the configuration.
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options = {}): Layer.Layer<ProxyHttpClient, never, ProxyConfig> =>
  Layer.effect(ProxyHttpClient, HttpClient.HttpClient).pipe(
    Layer.provide(layerNodeHttpNoAgent),
    Layer.provide(layerAgent(options))
  )
