/**
 * Feeds the metrics.
 */
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import type { AccessToken } from "../AccessToken.ts"
import type { OAuthError } from "../OAuthError.ts"
import type { Reason } from "../TokenCache.ts"
import type { Grant } from "../TokenEndpoint.ts"
import * as TokenMetrics from "../TokenMetrics.ts"
import type { Purpose } from "./Flight.ts"

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
export const answers = (
  context: Context.Context<never>,
  token: AccessToken,
  reason: Reason,
  age: number,
  times = 1
): void => {
  answersBy[reason].updateUnsafe(times, context)
  TokenMetrics.remainingLifetime.updateUnsafe((Duration.toMillis(token.lifetime) - age) / 1000, context)
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

/** A request to a token endpoint has come to its end. */
export const request = (
  operation: Grant["operation"],
  exit: Exit.Exit<unknown, OAuthError>,
  context: Context.Context<never>
): void => {
  const errorType = Option.getOrUndefined(Exit.findErrorOption(exit))?.reason._tag
  const outcome = Exit.isSuccess(exit) ? "success" : errorType === undefined ? "interrupted" : "failure"
  Metric.withAttributes(TokenMetrics.requests, {
    operation,
    outcome,
    ...(errorType !== undefined && { "error.type": errorType })
  }).updateUnsafe(1, context)
}
