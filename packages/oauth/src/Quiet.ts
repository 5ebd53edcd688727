/**
 * Work that nobody waits for and that must not keep a process alive.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/**
 * Whether what is being done may be dropped when the process has nothing else to do. A transport that can should then
 * hold the process neither by a socket nor by a timer.
 *
 * @stability unstable
 * @category references
 * @since 0.1.0
 */
export const Quiet: Context.Reference<boolean> = Context.Reference("@effect-identity/oauth/Quiet", {
  defaultValue: () => false
})

const maximumMillis = 2 ** 31 - 1

const hasUnref = (timer: unknown): timer is { readonly unref: () => void } =>
  typeof timer === "object" && timer !== null && "unref" in timer && typeof timer.unref === "function"

const sleep = (millis: number): Effect.Effect<void> =>
  Effect.callback((resume) => {
    // @effect-diagnostics-next-line globalTimersInEffect:off
    const timer = setTimeout(
      () => resume(millis > maximumMillis ? sleep(millis - maximumMillis) : Effect.void),
      Math.min(millis, maximumMillis)
    )
    // Browsers and Workers have plain numbers, and no process to keep alive.
    if (hasUnref(timer)) timer.unref()
    return Effect.sync(() => clearTimeout(timer))
  })

const clockOfProcess = Context.get(Context.empty(), Clock.Clock)

/** The clock of the process, without timers that hold it. */
const quietClock: Clock.Clock = {
  currentTimeMillisUnsafe: () => clockOfProcess.currentTimeMillisUnsafe(),
  currentTimeMillis: clockOfProcess.currentTimeMillis,
  currentTimeNanosUnsafe: () => clockOfProcess.currentTimeNanosUnsafe(),
  currentTimeNanos: clockOfProcess.currentTimeNanos,
  monotonicTimeNanosUnsafe: () => clockOfProcess.monotonicTimeNanosUnsafe(),
  monotonicTimeNanos: clockOfProcess.monotonicTimeNanos,
  sleep: (duration) => Duration.isFinite(duration) ? sleep(Duration.toMillis(duration)) : Effect.never
}

/**
 * Runs an effect quietly: {@link Quiet} is set, and its timers do not keep the process alive. Another clock than that of
 * the process, such as a test's, stays as it is.
 *
 * @example
 * ```ts
 * import { Quiet } from "@effect-identity/oauth"
 * import { Effect } from "effect"
 *
 * const seen = Quiet.run(Effect.service(Quiet.Quiet))
 *
 * Effect.runSync(seen) // => true
 * ```
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const run = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Clock.clockWith((clock) =>
    Effect.provideService(
      clock === clockOfProcess ? Effect.provideService(effect, Clock.Clock, quietClock) : effect,
      Quiet,
      true
    )
  )
