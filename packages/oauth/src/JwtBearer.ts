/**
 * The JWT bearer grant (RFC 7523 §2.1): a signed assertion is traded for a token.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { HttpClient } from "effect/http/HttpClient"
import type * as Redacted from "effect/Redacted"
import type { AccessToken } from "./AccessToken.ts"
import type { OAuthError } from "./OAuthError.ts"
import * as TokenEndpoint from "./TokenEndpoint.ts"

/**
 * The grant type (RFC 7523 §2.1).
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export const grantType = "urn:ietf:params:oauth:grant-type:jwt-bearer"

/**
 * What is traded, and where.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly endpoint: TokenEndpoint.TokenEndpoint
  /** Signs an assertion. Runs before every attempt, because servers take each but once. */
  readonly assertion: Effect.Effect<Redacted.Redacted>
  /** What the token is to be good for, blanks between (RFC 6749 §3.3). @default whatever the server gives */
  readonly scope?: string | undefined
}

/**
 * Trades an assertion for an access token, every time it runs.
 *
 * Fails with `OAuthError` of operation `jwtBearer`.
 *
 * @example
 * ```ts
 * import { JwtBearer, SecureUrl } from "@effect-identity/oauth"
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
 * const token = JwtBearer.token({
 *   endpoint: { url: Result.getOrThrow(SecureUrl.parse("https://issuer.example/token")) },
 *   assertion: Effect.succeed(Redacted.make("header.claims.signature"))
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
export const token = (
  { assertion, endpoint, scope }: Options
): Effect.Effect<AccessToken, OAuthError, HttpClient> =>
  TokenEndpoint.ask(endpoint, {
    operation: "jwtBearer",
    attempt: Effect.map(assertion, (assertion) =>
      TokenEndpoint.form(endpoint, [
        ["grant_type", grantType],
        ["assertion", assertion],
        ...(scope === undefined ? [] : [["scope", scope] as const])
      ]))
  })
