/**
 * What a caller is told of a failure: codes and when to come back, and nothing of anybody's text.
 */
import type { Reason } from "@effect-identity/oauth/OAuthError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Problem from "../../Problem.ts"
import type {
  BudgetSpent,
  Conflict,
  Invalid,
  NotFound,
  Refused,
  StoreFailed,
  Unsealable,
  Unusable,
  UpstreamFailed
} from "../Failure.ts"

export type Failure = BudgetSpent | Conflict | Invalid | NotFound | StoreFailed | Unsealable | UpstreamFailed

/** In whole seconds, as Retry-After has it (RFC 9110 §10.2.3). */
const seconds = (duration: Duration.Duration): number => Math.max(1, Math.ceil(Duration.toSeconds(duration)))

const soon = { retry_after: 1 }

const upstreamCode = (reason: Reason | Refused | Unusable): Problem.Code => {
  switch (reason._tag) {
    case "Refused":
    case "OAuth":
      return "upstream_refused"
    case "Unusable":
      return ({
        answer: "upstream_invalid_answer",
        egress: "upstream_not_allowed",
        secret: "secret_unusable",
        queue: "upstream_busy",
        superseded: "superseded"
      } as const)[reason.detail]
    case "Timeout":
      return "upstream_timeout"
    case "Throttled":
      return "upstream_throttled"
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

const ofUpstream = ({ reason, retryAfter }: UpstreamFailed): Problem.Problem => {
  const code = upstreamCode(reason)
  const ownCode = reason._tag === "Refused" ? reason.code : undefined
  return Problem.make(code, {
    ...(ownCode !== undefined && { upstream_code: ownCode }),
    ...(Problem.statuses[code] === 503 && soon),
    ...(retryAfter !== undefined && { retry_after: seconds(retryAfter) })
  })
}

/** The problem that a failure is for callers. */
export const fromFailure = (failure: Failure): Problem.Problem => {
  switch (failure._tag) {
    case "BudgetSpent":
      return Problem.make("budget_spent", { retry_after: seconds(failure.retryAfter) })
    case "Conflict":
      return Problem.make("conflict", { detail: failure.rule })
    case "Invalid":
      return Problem.make("invalid_request", { issues: failure.issues })
    case "NotFound":
      return Problem.make("not_found")
    case "StoreFailed":
      return failure.detail === "full" || failure.detail === "schema"
        ? Problem.make(`store_${failure.detail}`, { detail: failure.message })
        : Problem.make("store_unavailable", soon)
    case "Unsealable":
      return Problem.make("secret_unreadable", { detail: failure.message })
    case "UpstreamFailed":
      return ofUpstream(failure)
  }
}

/** What went wrong here or upstream is for operators to see, what callers did wrong is not. */
const report = (failure: Failure): Effect.Effect<void> =>
  failure._tag === "UpstreamFailed" || failure._tag === "StoreFailed" || failure._tag === "Unsealable"
    ? Effect.annotateLogs(Effect.logWarning("request failed"), {
      "error.type": failure._tag,
      "error.message": failure.message,
      ...(failure._tag === "UpstreamFailed" && failure.requestId !== undefined && { "request.id": failure.requestId })
    })
    : Effect.void

/** Makes problems of the failures of an effect. */
export const failing = <A, E extends Failure | Problem.Problem, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, Problem.Problem, R> =>
  Effect.catch(effect, (error: Failure | Problem.Problem) =>
    error._tag === "Problem"
      ? Effect.fail(error)
      : Effect.andThen(report(error), Effect.fail(fromFailure(error))))
