/**
 * The ways in which asking for a token fails.
 *
 * There is one tag to catch, {@link OAuthError}, and a `reason` to tell apart. Errors are built from an allow-list of
 * fields: no body, no address, no header and no foreign error is ever attached, so there is nothing in them to leak.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"

/**
 * The connection failed before an answer was complete. `isPermanent` when trying again cannot help: there is no host of
 * that name.
 *
 * @stability stable
 * @category errors
 * @since 0.1.0
 */
export class Transport extends Data.TaggedError("Transport")<{
  readonly detail: "refused" | "reset" | "dns" | "unreachable" | "other"
  readonly isPermanent?: boolean | undefined
}> {
  override get message(): string {
    return `connection failed (${this.detail})`
  }
}

const timeouts = {
  connect: "timed out while connecting",
  headers: "timed out while waiting for an answer",
  body: "timed out in the middle of the answer",
  total: "timed out"
} as const

/**
 * A deadline passed: `connect` while connecting, `headers` while waiting for the answer to begin, `body` while it had
 * stopped coming, `total` for the whole, repetitions included.
 *
 * @stability stable
 * @category errors
 * @since 0.1.0
 */
export class Timeout extends Data.TaggedError("Timeout")<{
  readonly detail: "connect" | "headers" | "body" | "total"
}> {
  override get message(): string {
    return timeouts[this.detail]
  }
}

/**
 * The server could not prove who it is, or no common protocol was found.
 *
 * @stability stable
 * @category errors
 * @since 0.1.0
 */
export class Tls extends Data.TaggedError("Tls")<{
  readonly detail: "untrusted" | "expired" | "hostname" | "protocol"
}> {
  override get message(): string {
    return this.detail === "expired"
      ? "TLS failed (certificate expired or not yet valid, or the local clock is wrong)"
      : `TLS failed (${this.detail})`
  }
}

/**
 * The proxy in between failed: it refused the credentials or the connection with `status`, could not be reached, could
 * not prove who it is, or never answered. No request was sent past it.
 *
 * @stability stable
 * @category errors
 * @since 0.1.0
 */
export class Proxy extends Data.TaggedError("Proxy")<{
  readonly detail: "authentication" | "status" | "unreachable" | "tls" | "timeout"
  readonly status: number | undefined
}> {
  override get message(): string {
    return `proxy failed (${this.detail}${this.status === undefined ? "" : `, HTTP ${this.status}`})`
  }
}

/**
 * The server answered with a status that says no more than itself. A redirect is one of them: requests that carry
 * credentials never follow one (RFC 9700 §4.12).
 *
 * @stability stable
 * @category errors
 * @since 0.1.0
 */
export class Status extends Data.TaggedError("Status")<{
  readonly status: number
}> {
  override get message(): string {
    return this.status >= 300 && this.status < 400
      ? `HTTP ${this.status} (redirects are not followed)`
      : `HTTP ${this.status}`
  }
}

/**
 * The server asked to come back later (HTTP 429). The error says when.
 *
 * @stability stable
 * @category errors
 * @since 0.1.0
 */
export class Throttled extends Data.TaggedError("Throttled")<{
  readonly status: number
  readonly code: string | undefined
}> {
  override get message(): string {
    return `throttled${this.code === undefined ? "" : `, ${this.code}`} (HTTP ${this.status})`
  }
}

/**
 * The server refused, and said so: `code` is the `error` of RFC 6749 §5.2, `apiCode` the number or word of a
 * `{code, msg}` answer. `description` is what it added, reduced to printable ASCII and 200 characters, and left out
 * when it repeats any part of a secret.
 *
 * @stability stable
 * @category errors
 * @since 0.1.0
 */
export class OAuth extends Data.TaggedError("OAuth")<{
  readonly status: number
  readonly code: string | undefined
  readonly apiCode: number | string | undefined
  readonly description: string | undefined
}> {
  override get message(): string {
    const name = this.code ?? (this.apiCode === undefined ? "refused" : `code ${this.apiCode}`)
    const description = this.description === undefined ? "" : `: ${this.description}`
    return `${name}${description} (HTTP ${this.status})`
  }
}

/**
 * What exactly is wrong with an answer that should have been a token.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type Flaw =
  | "contentType"
  | "duplicate"
  | "empty"
  | "encoding"
  | "expired"
  | "http"
  | "issuedTokenType"
  | "json"
  | "lifetime"
  | "nesting"
  | "shape"
  | "token"
  | "tokenType"
  | "tooLarge"

const flaws: { readonly [flaw in Flaw]: string } = {
  contentType: "content type is not JSON",
  duplicate: "a field is given twice",
  empty: "body is empty",
  encoding: "body is not UTF-8, or its content encoding is broken or not supported",
  expired: "token has already expired",
  http: "not valid HTTP",
  issuedTokenType: "issued_token_type is missing or not an access token",
  json: "body is not JSON",
  lifetime: "expires_in is not a number of seconds",
  nesting: "body is nested too deeply",
  shape: "body is not a JSON object",
  token: "access_token is missing or not a token",
  tokenType: "token_type is missing or not Bearer",
  tooLarge: "body or token is too large"
}

/**
 * The server answered, but not with something that may be used as a token. Nothing of the answer is quoted.
 *
 * @stability stable
 * @category errors
 * @since 0.1.0
 */
export class InvalidResponse extends Data.TaggedError("InvalidResponse")<{
  readonly status: number | undefined
  readonly detail: Flaw
}> {
  override get message(): string {
    return `invalid answer: ${flaws[this.detail]}${this.status === undefined ? "" : ` (HTTP ${this.status})`}`
  }
}

/**
 * The cache that was asked has been closed, before or while the token was on its way.
 *
 * @stability stable
 * @category errors
 * @since 0.1.0
 */
export class Closed extends Data.TaggedError("Closed") {
  override readonly message = "the token cache is closed"
}

/**
 * The source of the token is broken: it died of a defect. That is a bug in whoever wrote it; `defect` is the name of
 * what it died of and never its message.
 *
 * @stability stable
 * @category errors
 * @since 0.1.0
 */
export class Unexpected extends Data.TaggedError("Unexpected")<{ readonly defect: string }> {
  override get message(): string {
    return `the source of the token is broken (${this.defect})`
  }
}

/**
 * Everything a request for a token can fail with.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type Reason =
  | Transport
  | Timeout
  | Tls
  | Proxy
  | Status
  | Throttled
  | OAuth
  | InvalidResponse
  | Closed
  | Unexpected

// The second is how Coze says it.
const transientCodes = new Set<unknown>(["temporarily_unavailable", "internal_error"])
const isTransientStatus = (status: number): boolean => status === 429 || (status >= 500 && status !== 501)

/**
 * A token could not be obtained. `operation` names the grant (or the cache, or a token server, where no grant is to blame), `reason` what
 * happened, `requestId` the identifier the server gave the exchange, for its operators, `retryAfter` how long to wait
 * before asking again is worth it.
 *
 * @example
 * ```ts
 * import { OAuthError } from "@effect-identity/oauth"
 * import { Effect } from "effect"
 *
 * const failing = Effect.fail(
 *   new OAuthError.OAuthError({
 *     operation: "clientCredentials",
 *     reason: new OAuthError.Status({ status: 503 }),
 *     requestId: undefined
 *   })
 * )
 *
 * Effect.runSync(Effect.flip(failing)).message // => "clientCredentials: HTTP 503"
 * ```
 *
 * @stability stable
 * @category errors
 * @since 0.1.0
 */
export class OAuthError extends Data.TaggedError("OAuthError")<{
  readonly operation: "clientCredentials" | "tokenExchange" | "jwtBearer" | "tokenCache" | "tokenServer"
  readonly reason: Reason
  readonly requestId: string | undefined
  readonly retryAfter?: Duration.Duration | undefined
}> {
  override get message(): string {
    return `${this.operation}: ${this.reason.message}`
  }

  /** Whether the same request may succeed later without anyone changing anything. */
  get isRetryable(): boolean {
    switch (this.reason._tag) {
      case "Proxy":
        return this.reason.detail === "unreachable" || this.reason.detail === "timeout"
          || isTransientStatus(this.reason.status ?? 0)
      case "Transport":
        return this.reason.isPermanent !== true
      case "Timeout":
      case "Throttled":
        return true
      case "Status":
        return isTransientStatus(this.reason.status)
      case "OAuth":
        return transientCodes.has(this.reason.code ?? this.reason.apiCode) || isTransientStatus(this.reason.status)
      default:
        return false
    }
  }
}
