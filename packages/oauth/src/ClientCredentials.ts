/**
 * The client credentials grant (RFC 6749 §4.4): a client asks for a token in its own name.
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
 * Who asks, and where.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly endpoint: TokenEndpoint.TokenEndpoint
  readonly clientId: string
  readonly clientSecret: Redacted.Redacted
}

/**
 * Asks for a token, every time it runs: remembering is the business of `TokenCache`.
 *
 * The client authenticates in the body (RFC 6749 §2.3.1). Fails with `OAuthError` of operation `clientCredentials`.
 *
 * @example
 * ```ts
 * import { ClientCredentials, SecureUrl } from "@effect-identity/oauth"
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
 * const token = ClientCredentials.token({
 *   endpoint: { url: Result.getOrThrow(SecureUrl.parse("https://issuer.example/token")) },
 *   clientId: "app",
 *   clientSecret: Redacted.make("s3cret")
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
    operation: "clientCredentials",
    parameters: [
      ["client_id", options.clientId],
      ["client_secret", options.clientSecret],
      ["grant_type", "client_credentials"]
    ]
  })
