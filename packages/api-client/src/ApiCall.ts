/**
 * One call: what it sends, what it gives, and what it fails with.
 *
 * @since 0.1.0
 */
import type { OAuthError } from "@effect-identity/oauth/OAuthError"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type { HttpBody } from "effect/http/HttpBody"
import type { HttpMethod } from "effect/http/HttpMethod"
import type * as UrlParams from "effect/http/UrlParams"
import type * as Schema from "effect/Schema"
import type { ApiError } from "./ApiError.ts"

/**
 * What one call sends besides its method and path.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface RequestOptions {
  /** They win over what the body says of itself: its content type is theirs to change. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly urlParams?: UrlParams.Input | undefined
  /** Sent as JSON. */
  readonly json?: unknown
  /** Any other body. A stream is sent once: not again after a 401, and not when the API asks to come back later. */
  readonly body?: HttpBody | undefined
  /** Sent as `Idempotency-Key`. With it, a call that is not safe (RFC 9110 §9.2.1) may be repeated. */
  readonly idempotencyKey?: string | undefined
  /** In place of the client's. */
  readonly timeout?: Duration.Input | undefined
}

/**
 * What a call fails with: `OAuthError` when there is no token, `ApiError` for all else.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export type Failure = ApiError | OAuthError

/**
 * A call to a path below the base URL: the JSON of its answer by a schema, or as it is. `undefined` where there is none; to a
 * schema that is `null`, which `Schema.Void` takes.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Call {
  <A, I>(
    path: string,
    options: RequestOptions & { readonly schema: Schema.Codec<A, I> }
  ): Effect.Effect<A, Failure>
  (path: string, options?: RequestOptions): Effect.Effect<unknown, Failure>
}

/**
 * {@link Call}, with any method.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface CallOfMethod {
  <A, I>(
    method: HttpMethod,
    path: string,
    options: RequestOptions & { readonly schema: Schema.Codec<A, I> }
  ): Effect.Effect<A, Failure>
  (method: HttpMethod, path: string, options?: RequestOptions): Effect.Effect<unknown, Failure>
}
