/**
 * The one place that asks a token endpoint (RFC 6749 §3.2) and reads its answer.
 *
 * How requests are sent is the business of `SecureRequest`, what is repeated that of `Retry`. Nothing is cached here:
 * `TokenCache` does that.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { HttpClient } from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Redacted from "effect/Redacted"
import * as AccessToken from "./AccessToken.ts"
import * as Counts from "./internal/Counts.ts"
import * as TokenResponse from "./internal/TokenResponse.ts"
import { InvalidResponse, OAuthError, type Reason, Timeout } from "./OAuthError.ts"
import * as Retry from "./Retry.ts"
import * as SecureRequest from "./SecureRequest.ts"
import type { SecureUrl } from "./SecureUrl.ts"

/**
 * Where tokens are asked for, and how strictly answers are read.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface TokenEndpoint {
  readonly url: SecureUrl
  /** From connecting to the last byte, repetitions and the waits between them included. @default 30 seconds */
  readonly timeout?: Duration.Input | undefined
  /**
   * `"lenient"` also takes answers without a JSON content type, without `token_type` and without `issued_token_type`.
   * Wrong ones are refused all the same. @default "strict"
   */
  readonly strictness?: "strict" | "lenient" | undefined
  /** Assumed when the answer has no `expires_in`. @default 5 minutes */
  readonly defaultLifetime?: Duration.Input | undefined
  /**
   * What `expires_in` is: the seconds a token lives (RFC 6749 §5.1), or, where a server has it so, the Unix time of its end in
   * seconds. @default "lifetime"
   */
  readonly expiresIn?: "lifetime" | "unixTime" | undefined
}

const spanNames = {
  clientCredentials: "ClientCredentials.token",
  tokenExchange: "TokenExchange.token",
  jwtBearer: "JwtBearer.token"
} as const

/**
 * What is asked: the form fields in the order they are sent, secrets among them redacted.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Grant {
  readonly operation: keyof typeof spanNames
  readonly parameters: ReadonlyArray<readonly [name: string, value: string | Redacted.Redacted]>
  /** What `issued_token_type` must be (RFC 8693 §2.2.1), where the grant defines it. */
  readonly issuedTokenType?: string | undefined
}

/**
 * What is sent once, and what of it is secret.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Attempt {
  readonly request: HttpClientRequest.HttpClientRequest
  readonly secrets: ReadonlyArray<Redacted.Redacted>
}

/**
 * A request for a token that is made anew for every attempt, because what it carries works once, or that no form can say.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Question extends Pick<Grant, "operation" | "issuedTokenType"> {
  readonly attempt: Effect.Effect<Attempt>
}

const defaultLifetime = Duration.minutes(5)

const defaultTimeout = Duration.seconds(30)

/** Assumed when a server throttles without saying for how long. */
const throttledFor = Duration.seconds(5)

const reveal = (value: string | Redacted.Redacted): string => Redacted.isRedacted(value) ? Redacted.value(value) : value

/**
 * The form of a grant (RFC 6749 appendix B).
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const form = ({ url }: TokenEndpoint, parameters: Grant["parameters"]): Attempt => ({
  request: HttpClientRequest.post(url.href).pipe(
    HttpClientRequest.bodyUrlParams(parameters.map(([name, value]) => [name, reveal(value)] as const))
  ),
  secrets: parameters.flatMap(([, value]) => Redacted.isRedacted(value) ? [value] : [])
})

const readToken = Effect.fnUntraced(function*(
  answer: SecureRequest.Answer,
  endpoint: TokenEndpoint,
  issuedTokenType: string | undefined
): Effect.fn.Return<AccessToken.AccessToken, Reason> {
  const { lifetimeSeconds, scope, value } = yield* Effect.fromResult(TokenResponse.read(answer, {
    strictness: endpoint.strictness ?? "strict",
    expiresIn: endpoint.expiresIn ?? "lifetime",
    issuedTokenType
  }))
  if (lifetimeSeconds === undefined) {
    yield* Effect.logWarning("token answer has no expires_in, a default lifetime is assumed")
  }
  const token = new AccessToken.AccessToken({
    value,
    tokenType: "Bearer",
    scope,
    requestedAt: answer.requestedAt,
    lifetime: lifetimeSeconds === undefined
      ? Duration.fromInputUnsafe(endpoint.defaultLifetime ?? defaultLifetime)
      : Duration.seconds(lifetimeSeconds),
    generation: 0
  })
  return Duration.isZero(yield* AccessToken.remaining(token))
    ? yield* new InvalidResponse({ status: answer.status, detail: "expired" })
    : token
})

/**
 * Sends a grant and returns the token it was answered with, not yet expired.
 *
 * What fails in a way that another attempt can change (no connection, no answer in time, HTTP 429 and 5xx,
 * `temporarily_unavailable`) is repeated as `Retry.within` does. Fails with `OAuthError`. Needs an `HttpClient` that does not follow redirects.
 *
 * @example
 * ```ts
 * import { SecureUrl, TokenEndpoint } from "@effect-identity/oauth"
 * import { Duration, Effect, Redacted, Result } from "effect"
 * import { HttpClient, HttpClientResponse } from "effect/http"
 *
 * const issuer = HttpClient.make((request) =>
 *   Effect.succeed(HttpClientResponse.fromWeb(request, Response.json({
 *     access_token: "t0ken",
 *     token_type: "Bearer",
 *     expires_in: 3600
 *   })))
 * )
 *
 * const endpoint = { url: Result.getOrThrow(SecureUrl.parse("https://issuer.example/token")) }
 *
 * const token = TokenEndpoint.request(endpoint, {
 *   operation: "clientCredentials",
 *   parameters: [
 *     ["client_id", "app"],
 *     ["client_secret", Redacted.make("s3cret")],
 *     ["grant_type", "client_credentials"]
 *   ]
 * })
 *
 * const { lifetime } = await Effect.runPromise(Effect.provideService(token, HttpClient.HttpClient, issuer))
 * Duration.toSeconds(lifetime) // => 3600
 * ```
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const request = (
  endpoint: TokenEndpoint,
  { issuedTokenType, operation, parameters }: Grant
): Effect.Effect<AccessToken.AccessToken, OAuthError, HttpClient> =>
  ask(endpoint, { operation, issuedTokenType, attempt: Effect.sync(() => form(endpoint, parameters)) })

/**
 * {@link request}, for what has to be made anew for every attempt, or that no form can say.
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const ask = (
  endpoint: TokenEndpoint,
  { attempt, issuedTokenType, operation }: Question
): Effect.Effect<AccessToken.AccessToken, OAuthError, HttpClient> => {
  const timeout = Duration.fromInputUnsafe(endpoint.timeout ?? defaultTimeout)
  const failWith = (reason: Reason, told: Partial<Pick<OAuthError, "requestId" | "retryAfter">>) =>
    new OAuthError({
      operation,
      reason,
      requestId: told.requestId,
      retryAfter: told.retryAfter ?? (reason._tag === "Throttled" ? throttledFor : undefined)
    })

  const attempted = attempt.pipe(
    Effect.flatMap(({ request, secrets }) => SecureRequest.send(request, { secrets, timeout })),
    Effect.mapError((failure) => failWith(failure.reason, failure)),
    Effect.flatMap((answer) =>
      Effect.mapError(readToken(answer, endpoint, issuedTokenType), (reason) => failWith(reason, answer))
    ),
    Effect.onExit((exit) =>
      Effect.withFiber(({ context }) => Effect.sync(() => Counts.request(operation, exit, context)))
    )
  )

  return Retry.within(attempted, {
    timeout,
    advice: ({ isRetryable, retryAfter }) => ({ isRetryable, retryAfter }),
    onTimeout: () => failWith(new Timeout({ detail: "total" }), {})
  }).pipe(
    Effect.tapError(({ reason }) => Effect.annotateCurrentSpan("error.type", reason._tag)),
    Effect.withSpan(spanNames[operation], {
      kind: "client",
      attributes: {
        "http.request.method": "POST",
        "server.address": endpoint.url.hostname,
        "server.port": endpoint.url.port
      }
    })
  )
}
