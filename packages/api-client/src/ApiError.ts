/**
 * The ways in which a call to an API fails, other than for want of a token (that is `OAuthError`).
 *
 * There is one tag to catch, {@link ApiError}, and a `reason` to tell apart. Errors are built from an allow-list of fields:
 * no body, no address, no header and no foreign error is ever attached.
 *
 * @since 0.1.0
 */
import type { InvalidResponse, Proxy, Timeout, Tls, Transport } from "@effect-identity/oauth/OAuthError"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import type { RateLimit } from "./RateLimit.ts"

/**
 * The request breaks a rule, so that it was not sent and no token was asked for. `rule` never quotes what broke it.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class InvalidRequest extends Data.TaggedError("InvalidRequest")<{
  readonly field: "path" | "method" | "headers" | "body" | "idempotencyKey" | "timeout" | "token"
  readonly rule: string
}> {
  override get message(): string {
    return `${this.field} ${this.rule} (not sent)`
  }
}

/**
 * One of the details an API adds to a refusal, as far as it said.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Detail {
  readonly field: string | undefined
  readonly code: string | number | undefined
  readonly message: string | undefined
}

const said = (code: string | number | undefined, description: string | undefined): string =>
  [code, description].filter((part) => part !== undefined).map((part) => `, ${part}`).join("")

/**
 * The API answered with a status that is not a success. `code`, `description` and `details` are what it said about it
 * (`error.code`, `error.message` and `error.details` of A55, RFC 6750 §3, RFC 9457 and other habits), without a part of any
 * secret. A redirect is one of these: none is followed.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class Status extends Data.TaggedError("Status")<{
  readonly status: number
  readonly code: string | number | undefined
  readonly description: string | undefined
  readonly details: ReadonlyArray<Detail>
}> {
  override get message(): string {
    return this.status === 0 || (this.status >= 300 && this.status < 400)
      ? `HTTP ${this.status} (redirects are not followed)`
      : `HTTP ${this.status}${said(this.code, this.description)}`
  }
}

/**
 * The API asked to come back later (HTTP 429); the error says when. `isSent` tells whether it said so to this call: while it
 * is to be left alone, others fail without being sent when they have not the time to wait.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class Throttled extends Data.TaggedError("Throttled")<{
  readonly status: number
  readonly code: string | number | undefined
  readonly description: string | undefined
  readonly isSent: boolean
}> {
  override get message(): string {
    return `throttled (HTTP ${this.status}${this.isSent ? "" : ", not sent"})${said(this.code, this.description)}`
  }
}

/**
 * The API answered with success and JSON, but not of the schema. `path` leads to what is wrong first; values are not shown.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class Undecodable extends Data.TaggedError("Undecodable")<{
  readonly status: number
  readonly path: ReadonlyArray<string | number>
}> {
  override get message(): string {
    const place = this.path.map((segment) => `[${typeof segment === "number" ? segment : `"${segment}"`}]`).join("")
    return `answer is not of the schema${place === "" ? "" : ` at ${place}`} (HTTP ${this.status})`
  }
}

/**
 * Everything a call can fail with.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Reason =
  | InvalidRequest
  | Status
  | Throttled
  | Undecodable
  | InvalidResponse
  | Transport
  | Timeout
  | Tls
  | Proxy

const isTransient = (status: number): boolean => status === 429 || (status >= 500 && status !== 501)

/**
 * A call failed. `method` is the HTTP method, `reason` what happened, `requestId` what the API calls the exchange,
 * `rateLimit` how much of its limit was left, `retryAfter` how long to wait before another call is worth it.
 *
 * @example
 * ```ts
 * import { ApiError } from "@effect-identity/api-client"
 *
 * const error = new ApiError.ApiError({
 *   method: "GET",
 *   reason: new ApiError.Status({ status: 404, code: "wallet_not_found", description: undefined, details: [] }),
 *   requestId: undefined,
 *   rateLimit: undefined
 * })
 * error.message // => "GET: HTTP 404, wallet_not_found"
 * error.isRetryable // => false
 * ```
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class ApiError extends Data.TaggedError("ApiError")<{
  readonly method: string
  readonly reason: Reason
  readonly requestId: string | undefined
  readonly rateLimit: RateLimit | undefined
  readonly retryAfter?: Duration.Duration | undefined
}> {
  override get message(): string {
    return `${this.method}: ${this.reason.message}`
  }

  /** The HTTP status, when there was an answer. */
  get status(): number | undefined {
    return "status" in this.reason ? this.reason.status : undefined
  }

  /** What the API calls this kind of failure. */
  get code(): string | number | undefined {
    return "code" in this.reason ? this.reason.code : undefined
  }

  /** What the API says about it in words, cleaned and cut. */
  get description(): string | undefined {
    return "description" in this.reason ? this.reason.description : undefined
  }

  /** {@link retryAfter} in milliseconds. */
  get retryAfterMs(): number | undefined {
    return this.retryAfter === undefined ? undefined : Duration.toMillis(this.retryAfter)
  }

  /**
   * Whether the same call may succeed later without anyone changing anything. It may have been carried out already, unless
   * `reason` is `Throttled`.
   */
  get isRetryable(): boolean {
    switch (this.reason._tag) {
      case "Transport":
        return this.reason.isPermanent !== true
      case "Proxy":
        return this.reason.detail === "unreachable" || this.reason.detail === "timeout"
          || isTransient(this.reason.status ?? 0)
      case "Timeout":
      case "Throttled":
        return true
      case "Status":
        return isTransient(this.reason.status)
      default:
        return false
    }
  }
}
