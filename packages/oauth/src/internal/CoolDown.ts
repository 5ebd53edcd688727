/**
 * How long nobody asks again after a failure.
 */
import * as Duration from "effect/Duration"
import * as Instant from "../Instant.ts"
import { OAuthError } from "../OAuthError.ts"

export interface Rules {
  readonly minimum: number
  readonly maximum: number
  readonly refusalMemory: number
}

/** The failure that is remembered, since when, and for how many milliseconds. */
export interface CoolDown {
  readonly error: OAuthError
  /** When the attempt was made that failed. */
  readonly attemptedAt: Instant.Instant
  readonly since: Instant.Instant
  readonly millis: number
  /** Failures in a row. */
  readonly streak: number
}

/** The server understood, and said no: asking again does not change its mind. */
const isRefusal = ({ isRetryable, reason }: OAuthError): boolean => reason._tag === "OAuth" && !isRetryable

/**
 * Full jitter (a random share of a bound that doubles) on top of the minimum. Where a token was still held when the
 * attempt was made, at most half of the time for which that can be given out, so that attempts come closer together as its
 * end does. A server that asked for more gets it.
 *
 * `drawn` is a random number from 0 to 1, `heldFor` how long a held token may still be given out, less than nothing when it
 * ended during the attempt, and absent when none was held.
 */
export const begin = (
  error: OAuthError,
  attemptedAt: Instant.Instant,
  since: Instant.Instant,
  { drawn, heldFor, streak }: { readonly drawn: number; readonly heldFor: number | undefined; readonly streak: number },
  rules: Rules
): CoolDown => {
  const bound = Math.min(rules.maximum - rules.minimum, rules.minimum * 2 ** Math.min(streak - 1, 20))
  const byStreak = rules.minimum + drawn * Math.max(0, bound)
  const own = isRefusal(error)
    ? rules.refusalMemory * (0.5 + drawn / 2)
    : heldFor === undefined
    ? byStreak
    : Math.min(byStreak, Math.max(rules.minimum, heldFor / 2))
  const asked = error.retryAfter === undefined ? 0 : Duration.toMillis(error.retryAfter)
  return { error, attemptedAt, since, millis: Math.max(own, asked), streak }
}

/** Milliseconds until someone may ask again. */
export const remainingAt = (coolDown: CoolDown, now: Instant.Instant): number =>
  Math.max(0, coolDown.millis - Instant.elapsed(coolDown.since, now))

/** The failure, as it is told to those who come while it is remembered. */
export const errorAt = ({ error: { operation, reason, requestId } }: CoolDown, remaining: number): OAuthError =>
  new OAuthError({ operation, reason, requestId, retryAfter: Duration.millis(Math.ceil(remaining)) })
