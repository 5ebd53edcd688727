/**
 * What can go wrong between a workload and its token.
 *
 * These classes are shared by the Effect API, which fails with them, and the Promise facade, which throws them. They
 * are plain errors that depend on nothing, so that a program that never fails never loads more than this file, and
 * `instanceof` holds between copies of it that were bundled separately.
 *
 * @since 0.1.0
 */

/**
 * Where it happened: reading the configuration, asking for the id token, trading it for the access token, or one of the
 * two outbound calls, or (`http`) a request to a third party.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type Step = "configuration" | "idToken" | "accessToken" | "integrationCredential" | "projectEnvVars" | "http"

/**
 * What happened, in one word.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type Reason =
  | "Configuration"
  | "Transport"
  | "Timeout"
  | "Tls"
  | "Proxy"
  | "Status"
  | "Throttled"
  | "OAuth"
  | "InvalidResponse"
  | "Closed"
  | "Unexpected"

/**
 * Everything such an error knows besides its message. What is not known is left out.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Details {
  readonly step: Step
  readonly reason: Reason
  /** The reason, more closely: `"refused"` for a `Transport`, `"contentType"` for an `InvalidResponse`. */
  readonly detail?: string
  /** Whether the same call may succeed later without anyone changing anything. */
  readonly retryable: boolean
  readonly httpStatus?: number
  /** The `error` of RFC 6749 §5.2. */
  readonly oauthCode?: string
  /** The code of a `{code, msg}` answer. */
  readonly apiCode?: number | string
  /** What the server calls this exchange (`X-Tt-Logid`). */
  readonly logId?: string
  /**
   * How long to wait before asking again is worth it, in milliseconds, an hour at most: what the server asked for, or how
   * much longer this failure is remembered.
   */
  readonly retryAfterMs?: number
}

// One property, the same in every copy of this module, tells which of the classes an error belongs to.
const lineage = Symbol.for("@effect-identity/WorkloadIdentityError")

const belongsTo = (value: unknown, name: string): boolean => {
  if (typeof value !== "object" || value === null || !(lineage in value)) return false
  const names = value[lineage]
  return Array.isArray(names) && names.includes(name)
}

/**
 * Any of the errors below.
 *
 * @stability stable
 * @category errors
 * @since 0.1.0
 */
export class WorkloadIdentityError extends Error {
  static readonly className: string = "WorkloadIdentityError"

  override readonly name: string = "WorkloadIdentityError"
  declare readonly step: Step
  declare readonly reason: Reason
  declare readonly detail?: string
  declare readonly retryable: boolean
  declare readonly httpStatus?: number
  declare readonly oauthCode?: string
  declare readonly apiCode?: number | string
  declare readonly logId?: string
  declare readonly retryAfterMs?: number

  constructor(message: string, details: Details) {
    super(message)
    Object.assign(this, details)
  }

  static override [Symbol.hasInstance](this: unknown, value: unknown): boolean {
    // A class someone derived from these has no name of its own here and is told by its prototype, as usual.
    return typeof this === "function" && Object.hasOwn(this, "className") && "className" in this
      ? belongsTo(value, String(this.className))
      : Function.prototype[Symbol.hasInstance].call(this, value)
  }

  get [lineage](): ReadonlyArray<string> {
    return ["WorkloadIdentityError"]
  }

  /** The fields and the message, for structured logs. */
  toJSON(): object {
    return { ...this, message: this.message }
  }
}

/**
 * What is wrong with one setting: its name and the rule it breaks, never its value.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface ConfigurationIssue {
  readonly name: string
  readonly rule: string
}

const missing = "is missing"

const describe = (issues: ReadonlyArray<ConfigurationIssue>): string => {
  const absent = issues.filter(({ rule }) => rule === missing).map(({ name }) => name)
  const invalid = issues.filter(({ rule }) => rule !== missing).map(({ name, rule }) => `${name} ${rule}`)
  return [
    ...(absent.length > 0 ? [`Missing required environment variables: ${absent.join(", ")}`] : []),
    ...(invalid.length > 0 ? [`Invalid configuration: ${invalid.join(", ")}`] : [])
  ].join(". ")
}

/**
 * Settings are missing or cannot be used. `issues` lists every one of them, in the order of the documentation.
 *
 * @stability stable
 * @category errors
 * @since 0.1.0
 */
export class ConfigurationError extends WorkloadIdentityError {
  static override readonly className: string = "ConfigurationError"
  /** The rule of a setting that is absent, empty or blank. */
  static readonly missing = missing

  readonly _tag = "ConfigurationError"
  override readonly name = "ConfigurationError"
  readonly issues: ReadonlyArray<ConfigurationIssue>

  constructor(issues: ReadonlyArray<ConfigurationIssue>) {
    super(describe(issues), { step: "configuration", reason: "Configuration", retryable: false })
    this.issues = issues
  }

  override get [lineage](): ReadonlyArray<string> {
    return [...super[lineage], "ConfigurationError"]
  }
}

/**
 * The first step failed: there is no id token.
 *
 * @stability stable
 * @category errors
 * @since 0.1.0
 */
export class TokenRetrievalError extends WorkloadIdentityError {
  static override readonly className: string = "TokenRetrievalError"

  readonly _tag = "TokenRetrievalError"
  override readonly name = "TokenRetrievalError"

  override get [lineage](): ReadonlyArray<string> {
    return [...super[lineage], "TokenRetrievalError"]
  }
}

/**
 * The second step failed: there is an id token, but it could not be traded for an access token.
 *
 * @stability stable
 * @category errors
 * @since 0.1.0
 */
export class TokenExchangeError extends WorkloadIdentityError {
  static override readonly className: string = "TokenExchangeError"

  readonly _tag = "TokenExchangeError"
  override readonly name = "TokenExchangeError"

  override get [lineage](): ReadonlyArray<string> {
    return [...super[lineage], "TokenExchangeError"]
  }
}

/**
 * An outbound call failed: the workload has a token, but not the credential or the variables it asked for.
 *
 * @stability stable
 * @category errors
 * @since 0.1.0
 */
export class OutboundAuthError extends WorkloadIdentityError {
  static override readonly className: string = "OutboundAuthError"

  readonly _tag = "OutboundAuthError"
  override readonly name = "OutboundAuthError"

  override get [lineage](): ReadonlyArray<string> {
    return [...super[lineage], "OutboundAuthError"]
  }
}
