/**
 * The client for programs that know promises: `fetch` with a path, and `request` for JSON. Over the `fetch` of the runtime.
 *
 * @since 0.1.0
 */
import type { ClientAuth } from "@effect-identity/oauth/ClientCredentials"
import * as Rejection from "@effect-identity/oauth/Rejection"
import { TokenCache } from "@effect-identity/oauth/TokenCache"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as ApiClient from "./ApiClient.ts"
import * as ProcessWide from "./internal/ProcessWide.ts"
import * as Settings from "./internal/Settings.ts"
import * as WebRequest from "./internal/WebRequest.ts"

export { OAuthError } from "@effect-identity/oauth/OAuthError"
export { ApiError } from "./ApiError.ts"
export { ConfigurationError } from "./ConfigurationError.ts"

/**
 * Which API, who asks for its tokens, and how patiently.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface PromiseClientOptions {
  /** Where the API is, https (http to this machine only). Calls go to paths below it. */
  readonly baseUrl: string | URL
  /** Where tokens are asked for, https (http to this machine only). */
  readonly tokenEndpoint: string | URL
  readonly clientId: string
  readonly clientSecret: string
  /** How the client says who it is: in the body, or in a header (RFC 6749 §2.3.1). @default "client_secret_post" */
  readonly clientAuth?: ClientAuth | undefined
  /** What tokens shall be good for (RFC 6749 §3.3), names with one blank between them. */
  readonly scope?: string | undefined
  /** Whom tokens are for, where the issuer wants to be told. */
  readonly audience?: string | undefined
  /**
   * Milliseconds one call may take, from waiting for a token on, repetitions included. Where a call may be repeated, an answer
   * has half of it to begin. @default 30000
   */
  readonly timeoutMs?: number | undefined
  /** Decoded bytes of an answer that `request` reads. @default 10485760 */
  readonly maximumBytes?: number | undefined
  /** How often a call is tried at most, the first time included; the repetition after a 401 is not counted. @default 3 */
  readonly attempts?: number | undefined
  /** Share of its life from which on a token is renewed: up to a tenth later, so that clients spread. @default 0.75 */
  readonly renewAfter?: number | undefined
  /** Milliseconds before its end at which a token is renewed at the latest, a twelfth of its life at most. @default 300000 */
  readonly renewBeforeMs?: number | undefined
  /** `"lenient"` takes token answers without a JSON content type or `token_type`. @default "strict" */
  readonly strictness?: "strict" | "lenient" | undefined
  /** In place of the runtime's. Redirects are never followed. */
  readonly fetch?: typeof globalThis.fetch | undefined
}

/**
 * What one call may say besides its method, path and body.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface CallOptions {
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Sent as `Idempotency-Key`. With it, a call that is not safe (RFC 9110 §9.2.1) may be repeated. */
  readonly idempotencyKey?: string | undefined
  /** Stops the call, and rejects with the reason of the signal. */
  readonly signal?: AbortSignal | undefined
}

/**
 * The client of one API behind promises.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface PromiseClient extends AsyncDisposable {
  /**
   * `fetch`, with a path below the base URL: resolves with the response whatever its status, as soon as it begins. Of `init`,
   * method, headers, body and signal count. Rejects with `ApiError` when there is no response, when it is a redirect and when
   * the request breaks a rule (then it was not sent), with `OAuthError` when there is no token, and with the reason of the
   * signal.
   */
  readonly fetch: (path: string, init?: RequestInit) => Promise<Response>
  /**
   * Sends JSON, where there is a payload, and resolves with the JSON of the answer, `undefined` when it has none. Rejects like
   * `fetch`, and with `ApiError` when the answer is no success or no JSON: what an API says instead of data is in the error.
   */
  readonly request: (method: string, path: string, payload?: unknown, options?: CallOptions) => Promise<unknown>
  /** The same client with tokens for something else. Throws `ConfigurationError`. */
  readonly withGrant: (grant: ApiClient.Grant) => PromiseClient
  /** How many requests for a token this client has sent, and how many were granted. */
  readonly tokenRequests: () => Promise<ApiClient.TokenRequests>
  /** There is nothing to close: nothing keeps the process alive, and calls after it still work. */
  readonly close: () => Promise<void>
}

const getOrThrow = <A, E>(result: Result.Result<A, E>): A => {
  if (Result.isFailure(result)) throw result.failure
  return result.success
}

/**
 * Makes a client. All clients of a process share the tokens of an identity, and leave an API alone that asked one of them for
 * it, so that making one for each call costs no more than keeping one. Throws `ConfigurationError` that lists everything
 * that is wrong with the options.
 *
 * @example
 * ```ts
 * import { createApiClient } from "@effect-identity/api-client/promise"
 *
 * const client = createApiClient({
 *   baseUrl: "https://core-manager.a55.tech/api/v1",
 *   tokenEndpoint: "https://smart-capital.auth.us-east-1.amazoncognito.com/oauth2/token",
 *   clientId: "app",
 *   clientSecret: "s3cret",
 *   fetch: async (url) =>
 *     String(url).endsWith("/oauth2/token")
 *       ? Response.json({ access_token: "t0ken", token_type: "Bearer", expires_in: 3600 })
 *       : Response.json([{ id: 1 }])
 * })
 *
 * await client.request("GET", "wallets") // => [{ id: 1 }]
 * ```
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const createApiClient = (
  { clientSecret, fetch, renewBeforeMs, timeoutMs, ...options }: PromiseClientOptions
): PromiseClient => {
  const settings = getOrThrow(Settings.make({
    ...options,
    clientSecret: Redacted.make(clientSecret),
    timeout: timeoutMs,
    renewBefore: renewBeforeMs
  }))
  const runtime = ManagedRuntime.make(
    Layer.effect(ApiClient.ApiClient, ApiClient.fromSettings(settings, ProcessWide.throttleOf(settings))).pipe(
      Layer.provide(Layer.succeed(TokenCache, ProcessWide.cacheOf(settings))),
      Layer.provide(FetchHttpClient.layer),
      Layer.provide(fetch === undefined ? Layer.empty : Layer.succeed(FetchHttpClient.Fetch, fetch)),
      // A library writes nothing to its program's output.
      Layer.provideMerge(Logger.layer([]))
    )
  )

  /** Rejects with the typed error, or with the reason of the signal that stopped it. */
  const run = async <A, E>(
    effect: Effect.Effect<A, E, ApiClient.ApiClient>,
    signal?: AbortSignal | null
  ): Promise<A> => {
    signal?.throwIfAborted()
    const exit = await runtime.runPromiseExit(effect, { signal: signal ?? undefined })
    if (Exit.isSuccess(exit)) return exit.value
    signal?.throwIfAborted()
    throw Rejection.of(exit.cause)
  }

  const clientFor = (self: Effect.Effect<ApiClient.Client, never, ApiClient.ApiClient>): PromiseClient => ({
    fetch: async (path, init = {}) => {
      const request = await WebRequest.make(path, init)
      const response = await run(Effect.flatMap(self, (client) => client.execute(request)), init.signal)
      return WebRequest.toResponse(response, init.signal)
    },
    request: async (method, path, payload, { headers, idempotencyKey, signal } = {}) => {
      const name = WebRequest.methodOf(method)
      return run(
        Effect.flatMap(self, (client) => client.request(name, path, { headers, idempotencyKey, json: payload })),
        signal
      )
    },
    withGrant: (grant) => {
      const checked = getOrThrow(Settings.grantOf(grant))
      return clientFor(Effect.flatMap(self, (client) => Effect.orDie(client.withGrant(checked))))
    },
    tokenRequests: () => run(Effect.flatMap(self, (client) => client.tokenRequests)),
    close: async () => {},
    [Symbol.asyncDispose]: async () => {}
  })

  return clientFor(Effect.service(ApiClient.ApiClient))
}
