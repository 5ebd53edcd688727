/**
 * Reads the clocks for those who look often.
 *
 * A reading costs more than all the rest of a look, so that the wall clock is read once in a millisecond of the monotonic
 * one. That holds for the clock of the process alone: one that a program made can be set to anything between two readings.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Instant from "../Instant.ts"

const clockOfProcess: Clock.Clock = Context.get(Context.empty(), Clock.Clock)

export class Watch {
  #context: Context.Context<never> = Context.empty()
  #clock = clockOfProcess
  #wall = 0
  #readAt = -Infinity

  /** The moment by the clock of a context. That of the process has its wall clock as it was less than a millisecond ago. */
  read(context: Context.Context<never>): Instant.Instant {
    if (context !== this.#context) {
      this.#context = context
      this.#clock = Context.get(context, Clock.Clock)
    }
    if (this.#clock !== clockOfProcess) return Instant.nowUnsafe(this.#clock)
    const monotonic = Instant.monotonicUnsafe(this.#clock)
    const since = monotonic - this.#readAt
    if (!(since > 0 && since < 1)) {
      this.#readAt = monotonic
      this.#wall = this.#clock.currentTimeMillisUnsafe()
    }
    return { wall: this.#wall, monotonic }
  }
}
