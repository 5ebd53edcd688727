/**
 * Keeps calls back while the API has asked to be left alone, so that one 429 is not answered by everyone else with more of
 * the same.
 */
import * as Instant from "@effect-identity/oauth/Instant"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

/** Share of a wait that is waited on top at random, so that those who were kept back do not come together. */
export const spread = 0.2

interface Closing {
  readonly since: Instant.Instant
  readonly millis: number
}

export class Throttle {
  #closing: Closing | undefined

  #remainingAt(now: Instant.Instant): number {
    return this.#closing === undefined
      ? 0
      : Math.max(0, this.#closing.millis - Instant.elapsed(this.#closing.since, now))
  }

  /** Nobody passes for so long, or longer if that was asked for before. */
  close(wait: Duration.Duration): Effect.Effect<void> {
    return Effect.map(Instant.now, (now) => {
      const millis = Duration.toMillis(wait)
      if (millis > this.#remainingAt(now)) this.#closing = { since: now, millis }
    })
  }

  /** Waits until calls may pass, or answers how long that is when it does not fit into the time that is left. */
  pass(left: (now: Instant.Instant) => number): Effect.Effect<Duration.Duration | undefined> {
    return Effect.flatMap(Instant.now, (now) => {
      const remaining = this.#remainingAt(now)
      if (remaining === 0) return Effect.undefined
      return Effect.flatMap(Random.next, (drawn) => {
        const wait = remaining * (1 + drawn * spread)
        return wait < left(now)
          ? Effect.andThen(Effect.sleep(Duration.millis(wait)), this.pass(left))
          : Effect.succeed(Duration.millis(Math.ceil(remaining)))
      })
    })
  }
}
