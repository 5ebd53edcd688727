/**
 * Tells metrics, logs and spans what the cache does.
 */
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import type { AccessToken } from "../AccessToken.ts"
import type { OAuthError } from "../OAuthError.ts"
import type { Reason } from "../TokenCache.ts"
import * as TokenMetrics from "../TokenMetrics.ts"
import type { Purpose } from "./Flight.ts"
import type { Slot } from "./Slot.ts"

type Outcome = "success" | "failure" | "interrupted"

/** A series of its own for each reason: attributes that are added on the way are put together on every count. */
const answersBecause = (reason: Reason) =>
  Metric.counter(TokenMetrics.answers.id, {
    description: TokenMetrics.answers.description,
    incremental: true,
    attributes: { reason }
  })

const answersBy: { readonly [reason in Reason]: typeof TokenMetrics.answers } = {
  "hit": answersBecause("hit"),
  "stale-hit": answersBecause("stale-hit"),
  "miss": answersBecause("miss"),
  "refresh": answersBecause("refresh"),
  "forced": answersBecause("forced"),
  "rejected": answersBecause("rejected")
}

/** Counts a token that is handed out at this age, or so many of one turn, whose ages differ by nothing worth telling. */
export const count = (
  context: Context.Context<never>,
  token: AccessToken,
  reason: Reason,
  age: number,
  times = 1
): void => {
  answersBy[reason].updateUnsafe(times, context)
  TokenMetrics.remainingLifetime.updateUnsafe((Duration.toMillis(token.lifetime) - age) / 1000, context)
}

/** Hands out a token that has been counted. */
export const answer = (
  fiber: Fiber.Fiber<unknown, unknown>,
  token: AccessToken,
  reason: Reason
): Effect.Effect<AccessToken> => {
  const { span } = fiber.cache
  if (span?._tag === "Span") span.attribute("token_cache.reason", reason)
  return Effect.succeed(token)
}

/** A token is handed out at this age. */
export const handOver = (
  fiber: Fiber.Fiber<unknown, unknown>,
  slot: Slot,
  token: AccessToken,
  reason: Reason,
  age: number
): Effect.Effect<AccessToken> => {
  slot.lastAnswer = reason
  count(fiber.context, token, reason, age)
  return answer(fiber, token, reason)
}

/** A flight has come to its end. */
export const flight = (
  context: Context.Context<never>,
  { errorType, millis, outcome, purpose, wall }: {
    readonly purpose: Purpose
    readonly outcome: Outcome
    readonly errorType: string | undefined
    readonly millis: number
    readonly wall: number
  }
): void => {
  const attributes = { reason: purpose, outcome }
  Metric.withAttributes(TokenMetrics.flights, {
    ...attributes,
    ...(errorType !== undefined && { "error.type": errorType })
  }).updateUnsafe(1, context)
  Metric.withAttributes(TokenMetrics.flightDuration, attributes).updateUnsafe(millis / 1000, context)
  if (outcome === "success") TokenMetrics.lastSuccess.updateUnsafe(wall / 1000, context)
}

/** A failed refresh is nobody's error, so that the log is where it shows. */
export const failure = (purpose: Purpose, error: OAuthError, coolDownMillis: number): Effect.Effect<void> =>
  Effect.annotateLogs(
    error.reason._tag === "Unexpected"
      ? Effect.logError("the source of a token is broken")
      : purpose === "refresh"
      ? Effect.logWarning("token refresh failed, the current token stays in use while it is valid")
      : Effect.logDebug("token request failed"),
    {
      "token_cache.reason": purpose,
      "error.type": error.reason._tag,
      "error.message": error.message,
      "token_cache.cool_down_ms": Math.ceil(coolDownMillis),
      ...(error.requestId !== undefined && { "request.id": error.requestId })
    }
  )
