/**
 * How much of a rate limit is left, as an API tells it.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"

/**
 * What `X-RateLimit-Limit`, `-Remaining` and `-Reset` said: requests per window, requests left in it, and when the next one
 * begins.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface RateLimit {
  readonly limit: number | undefined
  readonly remaining: number | undefined
  readonly resetAt: Date | undefined
}

const toNumber = (value: string | undefined): number | undefined =>
  value !== undefined && /^\s*\d{1,13}\s*$/.test(value) ? Number(value) : undefined

// Smaller numbers are seconds that are left, and no point in time.
const smallestEpochSeconds = 1e9
const smallestEpochMillis = 1e12

const toDate = (reset: number | undefined): Date | undefined => {
  if (reset === undefined || reset < smallestEpochSeconds) return undefined
  return DateTime.toDateUtc(DateTime.makeUnsafe(reset < smallestEpochMillis ? reset * 1000 : reset))
}

/**
 * Reads the headers of an answer, their names in lower case. Nothing when it says nothing.
 *
 * @example
 * ```ts
 * import { RateLimit } from "@effect-identity/api-client"
 *
 * const limit = RateLimit.fromHeaders({ "x-ratelimit-limit": "100", "x-ratelimit-remaining": "7" })
 * limit?.remaining // => 7
 * ```
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const fromHeaders = (headers: Readonly<Record<string, string | undefined>>): RateLimit | undefined => {
  const limit = toNumber(headers["x-ratelimit-limit"])
  const remaining = toNumber(headers["x-ratelimit-remaining"])
  const resetAt = toDate(toNumber(headers["x-ratelimit-reset"]))
  return limit === undefined && remaining === undefined && resetAt === undefined
    ? undefined
    : { limit, remaining, resetAt }
}
