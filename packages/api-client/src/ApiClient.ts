/**
 * An HTTP client for one API behind client credentials (RFC 6749 §4.4): it signs what is sent, renews the token before it
 * ends, backs off when it is told to, and reads answers by a schema.
 *
 * The token goes to the base URL and what is below it, and nowhere else. No request leaves without one.
 * @since 0.1.0
 */
import type { ClientAuth } from "@effect-identity/oauth/ClientCredentials"
import * as TokenCache from "@effect-identity/oauth/TokenCache"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import type { HttpMethod } from "effect/http/HttpMethod"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import type { Call, CallOfMethod, Failure, RequestOptions } from "./ApiCall.ts"
import { ApiError, type InvalidRequest } from "./ApiError.ts"
import type { ConfigurationError } from "./ConfigurationError.ts"
import * as Decoding from "./internal/Decoding.ts"
import * as Exchange from "./internal/Exchange.ts"
import * as OfflineServer from "./internal/OfflineServer.ts"
import * as Outgoing from "./internal/Outgoing.ts"
import * as Settings from "./internal/Settings.ts"
import { Throttle } from "./internal/Throttle.ts"
import * as TokenSource from "./internal/TokenSource.ts"

/**
 * What a token shall be good for: a scope (RFC 6749 §3.3), names with one blank between them, and an audience, where the
 * issuer wants to be told.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Grant {
  readonly scope?: string | undefined
  readonly audience?: string | undefined
}

/**
 * Which API, who asks for its tokens, and how patiently.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Options extends Grant {
  /** Where the API is, https (http to this machine only). Calls go to paths below it. */
  readonly baseUrl: string | URL
  /** Where tokens are asked for, https (http to this machine only). */
  readonly tokenEndpoint: string | URL
  readonly clientId: string
  readonly clientSecret: Redacted.Redacted
  /** How the client says who it is: in the body, or in a header (RFC 6749 §2.3.1). @default "client_secret_post" */
  readonly clientAuth?: ClientAuth | undefined
  /**
   * Bound of one call, from waiting for a token to the last byte, repetitions included. Where a call may be repeated, an
   * answer has half of it to begin, so that there is time for another attempt. @default 30 seconds
   */
  readonly timeout?: Duration.Input | undefined
  /** Decoded bytes of an answer that are read. Responses of `execute` have no bound. @default 10485760 */
  readonly maximumBytes?: number | undefined
  /** How often a call is tried at most, the first time included; the repetition after a 401 is not counted. @default 3 */
  readonly attempts?: number | undefined
  /** Share of its life from which on a token is renewed: up to a tenth later, so that clients spread. @default 0.75 */
  readonly renewAfter?: number | undefined
  /** How long before its end a token is renewed at the latest: a twelfth of its life if that is less. @default 5 minutes */
  readonly renewBefore?: Duration.Input | undefined
  /** `"lenient"` takes token answers without a JSON content type or `token_type`. @default "strict" */
  readonly strictness?: "strict" | "lenient" | undefined
}

/**
 * How many requests for a token this client has sent, and how many were granted. Some issuers charge for each of those.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface TokenRequests {
  readonly sent: number
  readonly granted: number
}

/**
 * The client of one API: a method for each of HTTP, all of which sign, renew and wait alike.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Client {
  readonly get: Call
  readonly post: Call
  readonly put: Call
  readonly patch: Call
  readonly delete: Call
  readonly request: CallOfMethod
  /**
   * Sends a request whose URL is a path below the base URL, and gives the response as soon as it begins, whatever its status
   * (but no redirect). Tokens, repetitions and the bound of a call are as with the others.
   */
  readonly execute: (request: HttpClientRequest) => Effect.Effect<HttpClientResponse, Failure>
  /** The same client with tokens for something else. No two scopes or audiences share a token. */
  readonly withGrant: (grant: Grant) => Effect.Effect<Client, ConfigurationError>
  readonly tokenRequests: Effect.Effect<TokenRequests>
}

/**
 * The {@link Client} of an API, for programs that call one.
 *
 * @stability unstable
 * @category services
 * @since 0.1.0
 */
export class ApiClient extends Context.Service<ApiClient, Client>()("@effect-identity/api-client/ApiClient") {}

const checked = <A>(method: string, result: Result.Result<A, InvalidRequest>): Effect.Effect<A, ApiError> =>
  Effect.mapError(
    Effect.fromResult(result),
    (reason) => new ApiError({ method, reason, requestId: undefined, rateLimit: undefined })
  )

/** @internal */
export const fromSettings = Effect.fnUntraced(function*(settings: Settings.Settings, throttle = new Throttle()) {
  const source = yield* TokenSource.make(settings)
  const exchange = yield* Exchange.make(settings, throttle)

  const clientFor = (grant: Grant): Client => {
    const tokens = source.tokensOf(grant)

    const call = (method: HttpMethod): Call =>
      Effect.fnUntraced(function*<A, I>(
        path: string,
        { schema, timeout, ...options }: RequestOptions & { readonly schema?: Schema.Codec<A, I> } = {}
      ): Effect.fn.Return<unknown, Failure> {
        const { bound, request } = yield* checked(
          method,
          Result.all({
            bound: Outgoing.bound(timeout ?? settings.timeout),
            request: Outgoing.make(settings.baseUrl, method, path, options)
          })
        )
        const answer = yield* exchange.answer(request, tokens, bound)
        return yield* Decoding.read(method, answer, schema)
      })

    return ApiClient.of({
      get: call("GET"),
      post: call("POST"),
      put: call("PUT"),
      patch: call("PATCH"),
      delete: call("DELETE"),
      request: (method: HttpMethod, path: string, options?: RequestOptions) => call(method)(path, options),
      execute: Effect.fnUntraced(function*(request) {
        const outgoing = yield* checked(request.method, Outgoing.fromRequest(settings.baseUrl, request))
        return yield* exchange.response(outgoing, tokens, settings.timeout)
      }),
      withGrant: (other) => Effect.map(Effect.fromResult(Settings.grantOf(other)), clientFor),
      tokenRequests: source.requests
    })
  }

  return clientFor(settings.grant)
})

/**
 * Makes a client whose tokens are kept in a cache of your choice, which also decides when they are renewed. Fails with
 * `ConfigurationError` that lists everything that is wrong with the options.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  options: Options
): Effect.Effect<Client, ConfigurationError, HttpClient.HttpClient | TokenCache.TokenCache> =>
  Effect.flatMap(Effect.fromResult(Settings.make(options)), (settings) => fromSettings(settings))

/**
 * A client with a cache of its own, over any `HttpClient`.
 *
 * @example
 * ```ts
 * import { ApiClient } from "@effect-identity/api-client"
 * import { Effect, Layer, Redacted } from "effect"
 * import { FetchHttpClient } from "effect/http"
 *
 * const layer = ApiClient.layer({
 *   baseUrl: "https://core-manager.a55.tech/api/v1",
 *   tokenEndpoint: "https://smart-capital.auth.us-east-1.amazoncognito.com/oauth2/token",
 *   clientId: "app",
 *   clientSecret: Redacted.make("s3cret")
 * }).pipe(Layer.provide(FetchHttpClient.layer))
 *
 * const escaping = ApiClient.ApiClient.use((client) => Effect.asVoid(client.get("/../admin")))
 *
 * const error = await Effect.runPromise(Effect.flip(Effect.provide(escaping, layer)))
 * error.message // => "GET: path must not contain dot segments (not sent)"
 * ```
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<ApiClient, ConfigurationError, HttpClient.HttpClient> =>
  Layer.effect(
    ApiClient,
    Effect.flatMap(
      Effect.fromResult(Settings.make(options)),
      (settings) =>
        Effect.flatMap(
          TokenCache.make(Settings.cacheOptions(settings)),
          (cache) => Effect.provideService(fromSettings(settings), TokenCache.TokenCache, cache)
        )
    )
  )

/**
 * {@link layer} with options that come from the configuration.
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  options: Config.Wrap<Options>
): Layer.Layer<ApiClient, ConfigurationError | Config.ConfigError, HttpClient.HttpClient> =>
  Layer.unwrap(Effect.map(Config.unwrap(options), layer))

/**
 * A client that answers from a function, offline. It signs with a token of its own making and reads answers as the real one
 * does; what is asked stands below `https://api.test`.
 *
 * @example
 * ```ts
 * import { ApiClient } from "@effect-identity/api-client"
 * import { Effect } from "effect"
 *
 * const layer = ApiClient.layerTest(({ url }) =>
 *   url === "https://api.test/wallets" ? Response.json([{ id: 1 }]) : new Response("", { status: 404 })
 * )
 *
 * const wallets = ApiClient.ApiClient.use((client) => client.get("/wallets"))
 * await Effect.runPromise(Effect.provide(wallets, layer)) // => [{ id: 1 }]
 * ```
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layerTest = (answer: (request: HttpClientRequest) => Response): Layer.Layer<ApiClient> =>
  layer(OfflineServer.options).pipe(
    Layer.provide(Layer.succeed(HttpClient.HttpClient, OfflineServer.make(answer))),
    Layer.orDie
  )
