/**
 * Tells ages to those who look often.
 *
 * A reading costs more than all the rest of a look, so that the monotonic clock is read once in a millisecond of the wall clock.
 * That holds for the clock of the process alone: one that a program made can be set to anything between two readings.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Instant from "../Instant.ts"

const clockOfProcess: Clock.Clock = Context.get(Context.empty(), Clock.Clock)

export class Watch {
  #context: Context.Context<never> = Context.empty()
  #clock = clockOfProcess
  #wall = Number.NaN
  #monotonic = 0

  /** Milliseconds since a moment, by the clock of a context. That of the process may be behind by less than one. */
  since(moment: Instant.Instant, context: Context.Context<never>): number {
    if (context !== this.#context) {
      this.#context = context
      this.#clock = Context.get(context, Clock.Clock)
    }
    if (this.#clock !== clockOfProcess) return Instant.elapsed(moment, Instant.nowUnsafe(this.#clock))
    const wall = clockOfProcess.currentTimeMillisUnsafe()
    if (wall !== this.#wall) {
      this.#wall = wall
      this.#monotonic = Instant.monotonicUnsafe(clockOfProcess)
    }
    return Math.max(0, wall - moment.wall, this.#monotonic - moment.monotonic)
  }
}
