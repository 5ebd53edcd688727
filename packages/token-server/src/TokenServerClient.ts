/**
 * A token server as its callers see it: its API, typed, and its tokens as what `TokenCache` and `BearerAuth` take.
 *
 * @since 0.1.0
 */
import { AccessToken } from "@effect-identity/oauth/AccessToken"
import * as BearerAuth from "@effect-identity/oauth/BearerAuth"
import * as Fingerprint from "@effect-identity/oauth/Fingerprint"
import * as Instant from "@effect-identity/oauth/Instant"
import { InvalidResponse, OAuth, OAuthError, type Reason, Throttled, Timeout } from "@effect-identity/oauth/OAuthError"
import * as SecureRequest from "@effect-identity/oauth/SecureRequest"
import * as SecureUrl from "@effect-identity/oauth/SecureUrl"
import { TokenCache } from "@effect-identity/oauth/TokenCache"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpApiClient from "effect/http-api/HttpApiClient"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { Api, ApiAccess } from "./Api.ts"
import { Problem } from "./Problem.ts"

/**
 * Which server, and who asks.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Where the server is: https, or http to this machine. */
  readonly baseUrl: string | URL
  /** A key of the server's API. */
  readonly apiKey: Redacted.Redacted
  /** How long a request for a token may take, the server's own to the upstream included. @default 30 seconds */
  readonly timeout?: Duration.Input | undefined
}

/**
 * Which token.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Wanted {
  readonly realm: string
  readonly key: string
  /** How much of its life must be left, clamped by the server to what its whole life allows. */
  readonly minTtl?: Duration.Input | undefined
}

/**
 * A token server.
 *
 * @stability unstable
 * @category services
 * @since 0.1.0
 */
export class TokenServerClient extends Context.Service<TokenServerClient, {
  /** The whole API. What it fails with besides a `Problem` is about the connection or the answer. */
  readonly api: HttpApiClient.ForApi<typeof Api, SecureRequest.RequestFailed>
  /** A token of the server, with the life that is left of it. */
  readonly source: (wanted: Wanted) => Effect.Effect<AccessToken, OAuthError>
  /** Tells the server that a token was refused. Answers whether it has another one now. */
  readonly report: (
    wanted: Wanted,
    refused: AccessToken
  ) => Effect.Effect<"not-current" | "replaced", OAuthError>
  /** Names a token of this server, for whoever asks with this key: a key for `TokenCache`. */
  readonly cacheKey: (wanted: Wanted) => string
}>()("@effect-identity/token-server/TokenServerClient") {}

const invalid = (detail: InvalidResponse["detail"]) => new InvalidResponse({ status: undefined, detail })

const ofProblem = ({ code, status, upstream_code }: Problem): Reason =>
  status === 429
    ? new Throttled({ status, code })
    : new OAuth({ status, code, apiCode: upstream_code, description: undefined })

const reasonOf = (error: unknown): Reason => {
  if (error instanceof Problem) return ofProblem(error)
  return error instanceof SecureRequest.RequestFailed ? error.reason : invalid("shape")
}

const failed = (error: unknown): OAuthError => {
  const seconds = error instanceof Problem ? error.retry_after : undefined
  return new OAuthError({
    operation: "tokenServer",
    reason: reasonOf(error),
    requestId: error instanceof Problem ? error.id : undefined,
    retryAfter: seconds === undefined ? undefined : Duration.seconds(seconds)
  })
}

/** Follows no redirect, starts no trace on the other side, and keeps nothing of the transport's own errors. */
const secure = (client: HttpClient.HttpClient, timeout: Duration.Input) =>
  HttpClient.makeWith<SecureRequest.RequestFailed, never, SecureRequest.RequestFailed, never>(
    Effect.flatMap((request) =>
      Effect.provideService(SecureRequest.open(request, { timeout }), HttpClient.HttpClient, client)
    ),
    Effect.succeed
  )

const signing = (apiKey: Redacted.Redacted) =>
  HttpApiMiddleware.layerClient(
    ApiAccess,
    ({ next, request }) => next(HttpClientRequest.bearerToken(request, Redacted.value(apiKey)))
  )

/**
 * Makes a client. Fails with `InvalidUrl` where a key must not be sent.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  { apiKey, baseUrl, timeout = "30 seconds" }: Options
): Effect.fn.Return<TokenServerClient["Service"], SecureUrl.InvalidUrl, HttpClient.HttpClient> {
  const { href } = yield* Effect.fromResult(SecureUrl.parse(baseUrl))
  const api = yield* HttpApiClient.makeWith(Api, {
    httpClient: secure(yield* HttpClient.HttpClient, timeout),
    baseUrl: href.replace(/\/$/, "")
  }).pipe(Effect.provide(signing(apiKey)))
  const whose = yield* Fingerprint.make(apiKey)

  const asking = <A, E>(request: Effect.Effect<A, E>): Effect.Effect<A, OAuthError> =>
    request.pipe(
      Effect.mapError(failed),
      Effect.timeoutOrElse({
        duration: timeout,
        orElse: () =>
          Effect.fail(
            failed(new SecureRequest.RequestFailed({ reason: new Timeout({ detail: "total" }), requestId: undefined }))
          )
      })
    )

  const source = Effect.fn("TokenServerClient.token", { kind: "client" })(function*({ key, minTtl, realm }: Wanted) {
    const requestedAt = yield* Instant.now
    const { expires_in, token } = yield* asking(api.tokens.get({
      query: {
        realm,
        key,
        ...(minTtl !== undefined && { min_ttl: Math.ceil(Duration.toMillis(Duration.fromInputUnsafe(minTtl))) })
      }
    }))
    if (expires_in <= 0) {
      return yield* new OAuthError({ operation: "tokenServer", reason: invalid("expired"), requestId: undefined })
    }
    return new AccessToken({
      value: token,
      tokenType: "Bearer",
      scope: undefined,
      requestedAt,
      lifetime: Duration.millis(expires_in),
      generation: 0
    })
  })

  return TokenServerClient.of({
    api,
    source,
    report: ({ key, realm }, refused) =>
      Effect.map(
        asking(api.tokens.report({ payload: { realm, key, token: refused.value } })),
        ({ outcome }) => outcome
      ),
    cacheKey: ({ key, realm }) => `token-server ${href} ${whose} ${realm} ${key}`
  })
})

/**
 * {@link make} as a layer.
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: Options
): Layer.Layer<TokenServerClient, SecureUrl.InvalidUrl, HttpClient.HttpClient> =>
  Layer.effect(TokenServerClient, make(options))

/**
 * A token of the server, with the life that is left of it, asked for anew each time: what a `TokenCache` takes as its source.
 *
 * Fails with `OAuthError`, whose reason is `OAuth` with the code of the server's problem where it gave one.
 *
 * @example
 * ```ts
 * import { TokenServerClient } from "@effect-identity/token-server"
 * import { Effect, Redacted } from "effect"
 * import { HttpClient, HttpClientResponse } from "effect/http"
 *
 * const server = HttpClient.make((request) =>
 *   Effect.succeed(HttpClientResponse.fromWeb(
 *     request,
 *     Response.json({ token: "t0ken", expires_in: 7_000_000, source: "memory" })
 *   ))
 * )
 *
 * const token = TokenServerClient.source({ realm: "wxgzh", key: "my-app" }).pipe(
 *   Effect.provide(TokenServerClient.layer({
 *     baseUrl: "https://tokens.example.com",
 *     apiKey: Redacted.make("tsk_reader")
 *   })),
 *   Effect.provideService(HttpClient.HttpClient, server)
 * )
 *
 * Redacted.value((await Effect.runPromise(token)).value) // => "t0ken"
 * ```
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const source = (wanted: Wanted): Effect.Effect<AccessToken, OAuthError, TokenServerClient> =>
  Effect.flatMap(TokenServerClient, (client) => client.source(wanted))

/**
 * Tokens for `BearerAuth`: kept in the `TokenCache` that is there, got from the server, and reported to it when they are
 * refused, so that everyone else of the server gets the next one too.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const tokens = Effect.fnUntraced(function*(
  wanted: Wanted
): Effect.fn.Return<BearerAuth.Tokens<OAuthError>, never, TokenCache | TokenServerClient> {
  const client = yield* TokenServerClient
  const kept = BearerAuth.fromCache(yield* TokenCache, client.cacheKey(wanted), client.source(wanted))
  return {
    get: kept.get,
    reject: (refused) =>
      client.report(wanted, refused).pipe(
        Effect.catchTag("OAuthError", (error) =>
          Effect.annotateLogs(Effect.logWarning("a refused token could not be reported"), {
            "error.message": error.message
          })),
        Effect.andThen(kept.reject(refused))
      )
  }
})
