/**
 * How long the right to ask for a token is held.
 */
import * as Duration from "effect/Duration"

const shortestMargin = Duration.millis(500)

/** Longer than the deadline, by what claiming and confirming may take. */
export const of = (timeout: Duration.Duration): Duration.Duration =>
  Duration.sum(timeout, Duration.max(shortestMargin, Duration.times(timeout, 0.5)))
