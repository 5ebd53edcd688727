/**
 * The client credentials grant (RFC 6749 §4.4): a client asks for a token in its own name.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { HttpClient } from "effect/http/HttpClient"
import type * as Redacted from "effect/Redacted"
import type { AccessToken } from "./AccessToken.ts"
import * as BasicCredentials from "./BasicCredentials.ts"
import type { OAuthError } from "./OAuthError.ts"
import * as TokenEndpoint from "./TokenEndpoint.ts"

/**
 * How a client says who it is, by the names of RFC 7591 §2: in the body, or in an `Authorization` header with both parts
 * form-encoded first (RFC 6749 §2.3.1). Never both at once.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type ClientAuth = "client_secret_post" | "client_secret_basic"

/**
 * Who asks, where, and for what.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly endpoint: TokenEndpoint.TokenEndpoint
  readonly clientId: string
  readonly clientSecret: Redacted.Redacted
  /** @default "client_secret_post" */
  readonly clientAuth?: ClientAuth | undefined
  /** What the token shall be good for (RFC 6749 §3.3), by blanks apart. The server decides when it is absent. */
  readonly scope?: string | undefined
  /** Whom the token is for, where the server wants to be told (Auth0 and others do). */
  readonly audience?: string | undefined
}

const optional = (name: string, value: string | undefined): TokenEndpoint.Grant["parameters"] =>
  value === undefined ? [] : [[name, value]]

/**
 * Asks for a token, every time it runs: remembering is the business of `TokenCache`.
 *
 * Fails with `OAuthError` of operation `clientCredentials`. Some servers (Cognito) answer a wrong client with HTTP 400
 * instead of 401; both are the reason `OAuth` with the code `invalid_client`.
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
export const token = (options: Options): Effect.Effect<AccessToken, OAuthError, HttpClient> => {
  const { audience, clientAuth = "client_secret_post", clientId, clientSecret, endpoint, scope } = options
  const parameters: TokenEndpoint.Grant["parameters"] = [
    ["grant_type", "client_credentials"],
    ...optional("scope", scope),
    ...optional("audience", audience)
  ]
  return TokenEndpoint.ask(endpoint, {
    operation: "clientCredentials",
    attempt: Effect.sync(() =>
      clientAuth === "client_secret_basic"
        ? BasicCredentials.apply(TokenEndpoint.form(endpoint, parameters), clientId, clientSecret)
        : TokenEndpoint.form(endpoint, [["client_id", clientId], ["client_secret", clientSecret], ...parameters])
    )
  })
}
