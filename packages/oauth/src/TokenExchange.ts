/**
 * Token exchange (RFC 8693): a token is traded for another one.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { HttpClient } from "effect/http/HttpClient"
import type * as Redacted from "effect/Redacted"
import type { AccessToken } from "./AccessToken.ts"
import type { OAuthError } from "./OAuthError.ts"
import * as TokenEndpoint from "./TokenEndpoint.ts"

/**
 * Token type identifiers of RFC 8693 §3.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export const tokenTypes = {
  accessToken: "urn:ietf:params:oauth:token-type:access_token",
  idToken: "urn:ietf:params:oauth:token-type:id_token"
} as const

/**
 * What is traded, where, and by whom.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly endpoint: TokenEndpoint.TokenEndpoint
  readonly clientId: string
  readonly subjectToken: Redacted.Redacted
  readonly subjectTokenType: string
}

/**
 * Trades the subject token for an access token, every time it runs.
 *
 * Fails with `OAuthError` of operation `tokenExchange`, also when the answer is a token of another type than an access
 * token (RFC 8693 §2.2.1).
 *
 * @example
 * ```ts
 * import { SecureUrl, TokenExchange } from "@effect-identity/oauth"
 * import { Duration, Effect, Redacted, Result } from "effect"
 * import { HttpClient, HttpClientResponse } from "effect/http"
 *
 * const issuer = HttpClient.make((request) =>
 *   Effect.succeed(HttpClientResponse.fromWeb(request, Response.json({
 *     access_token: "t0ken",
 *     issued_token_type: TokenExchange.tokenTypes.accessToken,
 *     token_type: "Bearer",
 *     expires_in: 3600
 *   })))
 * )
 *
 * const token = TokenExchange.token({
 *   endpoint: { url: Result.getOrThrow(SecureUrl.parse("https://issuer.example/token")) },
 *   clientId: "app",
 *   subjectToken: Redacted.make("id-token"),
 *   subjectTokenType: TokenExchange.tokenTypes.idToken
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
export const token = (options: Options): Effect.Effect<AccessToken, OAuthError, HttpClient> =>
  TokenEndpoint.request(options.endpoint, {
    operation: "tokenExchange",
    parameters: [
      ["client_id", options.clientId],
      ["subject_token", options.subjectToken],
      ["subject_token_type", options.subjectTokenType],
      ["grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"]
    ],
    issuedTokenType: tokenTypes.accessToken
  })
