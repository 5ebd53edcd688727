/**
 * What an issuer answers instead of a token: a problem (RFC 9457, the successor of RFC 7807) with a code that stays the
 * same.
 *
 * @since 0.1.0
 */
import type { OAuthError } from "@effect-identity/oauth/OAuthError"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"

/**
 * The status of every code. Codes are never renamed.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export const statuses = {
  invalid_request: 400,
  session_not_allowed: 400,
  unauthenticated: 401,
  invalid_token: 401,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  content_too_large: 413,
  unsupported_media_type: 415,
  internal_error: 500,
  server_misconfigured: 500,
  caller_keys_unavailable: 502,
  upstream_refused: 502,
  upstream_throttled: 502,
  upstream_unreachable: 502,
  upstream_status: 502,
  upstream_invalid_answer: 502,
  shutting_down: 503,
  upstream_timeout: 504,
  upstream_stalled: 504
} as const

/**
 * What is wrong, in a word that stays the same.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Code = keyof typeof statuses

/**
 * Why there is no token. `detail` names fields and rules and quotes nothing; `upstreamCode` and `logId` are what Coze calls
 * the failure and the exchange. `reason` is more, for the log and not for callers.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class Problem extends Data.TaggedError("Problem")<{
  readonly code: Code
  readonly detail?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly upstreamCode?: string | undefined
  readonly logId?: string | undefined
  readonly reason?: string | undefined
}> {
  override get message(): string {
    return this.detail === undefined ? this.code : `${this.code}: ${this.detail}`
  }

  get status(): number {
    return statuses[this.code]
  }
}

const codeOf = ({ operation, reason }: OAuthError): Code => {
  switch (reason._tag) {
    case "Timeout":
      // The flight had its own deadline: whoever waits longer waits for one that the runtime has stopped.
      return operation === "tokenCache" ? "upstream_stalled" : "upstream_timeout"
    case "Throttled":
      return "upstream_throttled"
    case "OAuth":
      return "upstream_refused"
    case "Status":
      return "upstream_status"
    case "InvalidResponse":
      return "upstream_invalid_answer"
    case "Closed":
      return "shutting_down"
    case "Unexpected":
      return "internal_error"
    default:
      return "upstream_unreachable"
  }
}

const upstreamCodeOf = ({ reason }: OAuthError): string | undefined => {
  switch (reason._tag) {
    case "OAuth":
      return String(reason.code ?? reason.apiCode ?? reason.status)
    case "Throttled":
    case "Status":
      return String(reason.status)
    default:
      return undefined
  }
}

/**
 * What a caller is told of a failure upstream: codes, and when to come back.
 *
 * @example
 * ```ts
 * import { Problem } from "@effect-identity/coze-issuer"
 * import { OAuthError } from "@effect-identity/oauth"
 *
 * const problem = Problem.fromOAuthError(
 *   new OAuthError.OAuthError({
 *     operation: "jwtBearer",
 *     reason: new OAuthError.Timeout({ detail: "total" }),
 *     requestId: undefined
 *   })
 * )
 *
 * problem.status // => 504
 * ```
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const fromOAuthError = (error: OAuthError): Problem =>
  new Problem({
    code: codeOf(error),
    upstreamCode: upstreamCodeOf(error),
    logId: error.requestId,
    reason: error.message,
    headers: error.retryAfter === undefined
      ? undefined
      : { "retry-after": String(Math.max(1, Math.ceil(Duration.toSeconds(error.retryAfter)))) }
  })
