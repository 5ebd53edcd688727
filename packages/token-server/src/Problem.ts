/**
 * What the server answers instead of what was asked for: problem details (RFC 9457) with a code that stays the same.
 *
 * @since 0.1.0
 */
import * as ErrorReporter from "effect/ErrorReporter"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as ProblemDetails from "effect/http/ProblemDetails"
import * as Schema from "effect/Schema"

/**
 * The status of every code. Codes are never renamed.
 *
 * @stability unstable
 * @category constants
 * @since 0.1.0
 */
export const statuses = {
  invalid_request: 400,
  unauthenticated: 401,
  invalid_key: 401,
  role_too_low: 403,
  cross_site: 403,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  conflict: 409,
  secret_unusable: 409,
  content_too_large: 413,
  unsupported_media_type: 415,
  budget_spent: 429,
  headers_too_large: 431,
  internal_error: 500,
  secret_unreadable: 500,
  upstream_refused: 502,
  upstream_throttled: 502,
  upstream_unreachable: 502,
  upstream_status: 502,
  upstream_invalid_answer: 502,
  upstream_not_allowed: 502,
  store_unavailable: 503,
  store_full: 503,
  store_schema: 503,
  upstream_busy: 503,
  superseded: 503,
  shutting_down: 503,
  upstream_timeout: 504
} as const

/**
 * What is wrong, in a word that stays the same.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Code = keyof typeof statuses

const isCode = (text: string): text is Code => Object.hasOwn(statuses, text)

/**
 * Why a request was not done. `issues` name fields and rules and quote nothing; `retry_after` is in seconds; `id` is what the
 * server's log calls a failure of its own; `upstream_code` is what the upstream calls its refusal.
 *
 * @example
 * ```ts
 * import { Problem } from "@effect-identity/token-server"
 *
 * const problem = Problem.make("invalid_request", { issues: [{ name: "page", rule: "is missing" }] })
 *
 * problem.status // => 400
 * problem.message // => "invalid request: page is missing"
 * ```
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class Problem extends Schema.Error<Problem>("Problem")({
  type: Schema.Literal(ProblemDetails.blankType),
  title: Schema.String,
  status: Schema.Int,
  code: Schema.String.pipe(Schema.refine(isCode)),
  detail: Schema.optionalKey(Schema.String),
  issues: Schema.optionalKey(Schema.Array(Schema.Struct({ name: Schema.String, rule: Schema.String }))),
  retry_after: Schema.optionalKey(Schema.Int),
  upstream_code: Schema.optionalKey(Schema.String),
  id: Schema.optionalKey(Schema.String)
}) {
  /** What it is told from other failures by. */
  readonly _tag = "Problem"

  /** Problems are answers; the server logs those of its own itself. */
  override readonly [ErrorReporter.ignore] = true

  override get message(): string {
    const issues = this.issues?.map(({ name, rule }) => `${name} ${rule}`).join(", ")
    const more = issues ?? this.detail
    return more === undefined ? this.title : `${this.title}: ${more}`
  }
}

/**
 * What may be said of a problem beside its code.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Details = Pick<Problem, "detail" | "id" | "issues" | "retry_after" | "upstream_code">

/**
 * Makes a problem of its code.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make = (code: Code, details: Details = {}): Problem =>
  new Problem({
    type: ProblemDetails.blankType,
    title: code.replaceAll("_", " "),
    status: statuses[code],
    code,
    ...details
  })

/**
 * The problem as what an API declares: one schema for every status, each of them `application/problem+json`.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export const schemas = [...new Set(Object.values(statuses))].map((status) =>
  Problem.check(Schema.makeFilter((problem: Problem) => problem.status === status)).annotate({ httpApiStatus: status })
    .pipe(HttpApiSchema.asJson({ contentType: ProblemDetails.contentType }))
)
