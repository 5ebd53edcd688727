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

const answersBy: { readonly [reason in Reason]: typeof TokenMetrics.answers } = {
  "hit": Metric.withAttributes(TokenMetrics.answers, { reason: "hit" }),
  "stale-hit": Metric.withAttributes(TokenMetrics.answers, { reason: "stale-hit" }),
  "miss": Metric.withAttributes(TokenMetrics.answers, { reason: "miss" }),
  "refresh": Metric.withAttributes(TokenMetrics.answers, { reason: "refresh" }),
  "forced": Metric.withAttributes(TokenMetrics.answers, { reason: "forced" }),
  "rejected": Metric.withAttributes(TokenMetrics.answers, { reason: "rejected" })
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
  answersBy[reason].updateUnsafe(1, fiber.context)
  TokenMetrics.remainingLifetime.updateUnsafe((Duration.toMillis(token.lifetime) - age) / 1000, fiber.context)
  const { span } = fiber.cache
  if (span?._tag === "Span") span.attribute("token_cache.reason", reason)
  return Effect.succeed(token)
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
