/**
 * The `HttpClient` for the platform's own endpoints: it says who we are and never follows a redirect.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import { version } from "./internal/version.ts"

/**
 * Has a client say who we are.
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const withUserAgent: (client: HttpClient.HttpClient) => HttpClient.HttpClient = HttpClient.mapRequest(
  HttpClientRequest.setHeader("user-agent", `coze-workload-identity/${version}`)
)

/**
 * Adds our `User-Agent` to a transport of your choice. The transport must not follow redirects.
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<HttpClient.HttpClient, never, HttpClient.HttpClient> = Layer.effect(
  HttpClient.HttpClient,
  Effect.map(HttpClient.HttpClient, withUserAgent)
)

/**
 * The same over `fetch`, for every runtime that has one. On Node prefer `NodeWorkloadIdentity`, which also bounds the
 * time to connect.
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layerFetch: Layer.Layer<HttpClient.HttpClient> = layer.pipe(
  Layer.provide(FetchHttpClient.layer),
  Layer.provide(Layer.succeed(FetchHttpClient.RequestInit, { redirect: "manual" }))
)
