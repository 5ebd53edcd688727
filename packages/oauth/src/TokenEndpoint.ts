/**
 * The one place that asks a token endpoint (RFC 6749 §3.2) and reads its answer.
 *
 * Every request has one deadline, follows no redirect, accepts at most 256 KiB of decoded body and starts no trace on
 * the other side. Nothing is cached or repeated here: `TokenCache` does the first.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { constTrue } from "effect/Function"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Redacted from "effect/Redacted"
import * as AccessToken from "./AccessToken.ts"
import * as Instant from "./Instant.ts"
import * as ResponseBody from "./internal/ResponseBody.ts"
import * as Secrecy from "./internal/Secrecy.ts"
import * as TokenResponse from "./internal/TokenResponse.ts"
import * as TransportFailure from "./internal/TransportFailure.ts"
import { InvalidResponse, OAuthError, type Reason, Timeout } from "./OAuthError.ts"
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
  /** The whole request, from connecting to the last byte. @default 30 seconds */
  readonly timeout?: Duration.Input | undefined
  /**
   * `"lenient"` also takes answers without a JSON content type, without `token_type` and without `issued_token_type`.
   * Wrong ones are refused all the same. @default "strict"
   */
  readonly strictness?: "strict" | "lenient" | undefined
  /** Assumed when the answer has no `expires_in`. @default 5 minutes */
  readonly defaultLifetime?: Duration.Input | undefined
}

/**
 * What is asked: the form fields in the order they are sent, secrets among them redacted.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Grant {
  readonly operation: OAuthError["operation"]
  readonly parameters: ReadonlyArray<readonly [name: string, value: string | Redacted.Redacted]>
  /** What `issued_token_type` must be (RFC 8693 §2.2.1), where the grant defines it. */
  readonly issuedTokenType?: string | undefined
}

const defaultTimeout = Duration.seconds(30)
const defaultLifetime = Duration.minutes(5)

const reveal = (value: string | Redacted.Redacted): string => Redacted.isRedacted(value) ? Redacted.value(value) : value

const secretsOf = (grant: Grant): ReadonlyArray<string> =>
  grant.parameters.flatMap(([, value]) => Redacted.isRedacted(value) ? [Redacted.value(value)] : [])

const requestIdOf = (response: HttpClientResponse, secrets: ReadonlyArray<string>): string | undefined =>
  Secrecy.word(response.headers["x-tt-logid"] ?? response.headers["x-request-id"], secrets)

const form = (grant: Grant) =>
  HttpClientRequest.bodyUrlParams(grant.parameters.map(([name, value]) => [name, reveal(value)] as const))

const readAnswer = Effect.fnUntraced(function*(
  response: HttpClientResponse,
  requestedAt: Instant.Instant,
  endpoint: TokenEndpoint,
  expected: TokenResponse.Expectation
): Effect.fn.Return<AccessToken.AccessToken, Reason | HttpClientError> {
  yield* Effect.annotateCurrentSpan("http.response.status_code", response.status)
  const { status } = response
  const answer = yield* Effect.fromResult(TokenResponse.read({
    status,
    contentType: response.headers["content-type"],
    body: TokenResponse.isRedirect(status) ? new Uint8Array() : yield* ResponseBody.read(response),
    requestedAtMillis: requestedAt.wall
  }, expected))
  if (answer.lifetimeSeconds === undefined) {
    yield* Effect.logWarning("token answer has no expires_in, a default lifetime is assumed")
  }
  const token = new AccessToken.AccessToken({
    value: answer.value,
    tokenType: "Bearer",
    scope: answer.scope,
    requestedAt,
    lifetime: answer.lifetimeSeconds === undefined
      ? Duration.fromInputUnsafe(endpoint.defaultLifetime ?? defaultLifetime)
      : Duration.seconds(answer.lifetimeSeconds),
    generation: 0
  })
  return Duration.isZero(yield* AccessToken.remaining(token))
    ? yield* new InvalidResponse({ status, detail: "expired" })
    : token
})

/**
 * Sends a grant and returns the token it was answered with, not yet expired.
 *
 * Fails with `OAuthError`. Needs an `HttpClient` that does not follow redirects.
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
export const request = Effect.fn("TokenEndpoint.request")(function*(
  endpoint: TokenEndpoint,
  grant: Grant
): Effect.fn.Return<AccessToken.AccessToken, OAuthError, HttpClient.HttpClient> {
  yield* Effect.annotateCurrentSpan({
    "http.request.method": "POST",
    "server.address": endpoint.url.hostname,
    "server.port": endpoint.url.port
  })
  const client = HttpClient.withScope(yield* HttpClient.HttpClient)
  const { operation } = grant
  const secrets = secretsOf(grant)
  const expected: TokenResponse.Expectation = {
    strictness: endpoint.strictness ?? "strict",
    issuedTokenType: grant.issuedTokenType,
    secrets
  }
  const requestedAt = yield* Instant.now

  return yield* HttpClientRequest.post(endpoint.url.href).pipe(
    HttpClientRequest.setHeaders({ accept: "application/json", "accept-encoding": "identity" }),
    form(grant),
    client.execute,
    Effect.provideService(HttpClient.TracerDisabledWhen, constTrue),
    Effect.mapError((error) =>
      new OAuthError({ operation, reason: TransportFailure.classify(error), requestId: undefined })
    ),
    Effect.flatMap((response) =>
      Effect.mapError(readAnswer(response, requestedAt, endpoint, expected), (error) =>
        new OAuthError({
          operation,
          reason: error._tag === "HttpClientError" ? TransportFailure.classify(error) : error,
          requestId: requestIdOf(response, secrets)
        }))
    ),
    // Closing the scope closes the connection, unless the answer was read to its end.
    Effect.scoped,
    Effect.timeoutOrElse({
      duration: endpoint.timeout ?? defaultTimeout,
      orElse: () =>
        Effect.fail(
          new OAuthError({ operation, reason: new Timeout({ detail: "total" }), requestId: undefined })
        )
    })
  )
})
