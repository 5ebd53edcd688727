/**
 * OAuth 2.0 tokens for workloads: asked for once, remembered, never leaked.
 *
 * @since 0.1.0
 */

export * as AccessToken from "./AccessToken.ts"
export * as BasicCredentials from "./BasicCredentials.ts"
export * as BearerAuth from "./BearerAuth.ts"
export * as ClientCredentials from "./ClientCredentials.ts"
export * as Fingerprint from "./Fingerprint.ts"
export * as Instant from "./Instant.ts"
export * as JwtAssertion from "./JwtAssertion.ts"
export * as JwtBearer from "./JwtBearer.ts"
export * as OAuthError from "./OAuthError.ts"
export * as Quiet from "./Quiet.ts"
export * as Rejection from "./Rejection.ts"
export * as Retry from "./Retry.ts"
export * as SecureRequest from "./SecureRequest.ts"
export * as SecureUrl from "./SecureUrl.ts"
export * as Setting from "./Setting.ts"
export * as TokenCache from "./TokenCache.ts"
export * as TokenEndpoint from "./TokenEndpoint.ts"
export * as TokenExchange from "./TokenExchange.ts"
export * as TokenMetrics from "./TokenMetrics.ts"
