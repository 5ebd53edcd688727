/**
 * Tells logs and spans what the cache does.
 */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type { AccessToken } from "../AccessToken.ts"
import type { OAuthError } from "../OAuthError.ts"
import type { Reason } from "../TokenCache.ts"
import * as Counts from "./Counts.ts"
import type { Purpose } from "./Flight.ts"
import type { Slot } from "./Slot.ts"

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
  Counts.answers(fiber.context, token, reason, age)
  return answer(fiber, token, reason)
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
