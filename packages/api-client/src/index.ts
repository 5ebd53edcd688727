/**
 * An HTTP client for one API behind client credentials.
 *
 * @since 0.1.0
 */

export * as ApiCall from "./ApiCall.ts"
export * as ApiClient from "./ApiClient.ts"
export * as ApiError from "./ApiError.ts"
export * as ConfigurationError from "./ConfigurationError.ts"
export * as RateLimit from "./RateLimit.ts"
