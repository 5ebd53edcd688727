/**
 * Reads the clocks for those who look often.
 *
 * A reading costs more than all the rest of a look, so that the wall clock is read once in a millisecond of the monotonic
 * one. Where that stands still, both are read.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Instant from "../Instant.ts"

export class Watch {
  #context: Context.Context<never> = Context.empty()
  #clock: Clock.Clock = Context.get(Context.empty(), Clock.Clock)
  #wall = 0
  #readAt = -Infinity

  /** The moment by the clock of a context, the wall clock as it was less than a millisecond ago. */
  read(context: Context.Context<never>): Instant.Instant {
    if (context !== this.#context) {
      this.#context = context
      const clock = Context.get(context, Clock.Clock)
      if (clock !== this.#clock) this.#readAt = -Infinity
      this.#clock = clock
    }
    const monotonic = Instant.monotonicUnsafe(this.#clock)
    const since = monotonic - this.#readAt
    if (!(since > 0 && since < 1)) {
      this.#readAt = monotonic
      this.#wall = this.#clock.currentTimeMillisUnsafe()
    }
    return { wall: this.#wall, monotonic }
  }
}
