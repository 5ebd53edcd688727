/**
 * One reading of both clocks.
 *
 * The wall clock can be corrected and the monotonic clock can stop while a machine sleeps, so neither alone tells how
 * old a token is. Whoever judges a lifetime takes an `Instant` and lets the clock that is further on decide.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/**
 * A moment, in milliseconds: `wall` since the Unix epoch, `monotonic` since an origin that only this process knows. Parts of a
 * millisecond tell what came first.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Instant {
  readonly wall: number
  readonly monotonic: number
}

const clockOfProcess: Clock.Clock = Context.get(Context.empty(), Clock.Clock)

const millisOf = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1_000_000

/** What leads from `performance.now` to the origin of the process clock. */
let origin: number | undefined

/**
 * Reads the monotonic side of a clock at hand, in milliseconds. That of the process is read without making a bigint of it,
 * which costs more than the reading, and stands on the same scale.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const monotonicUnsafe = (clock: Clock.Clock): number => {
  if (clock !== clockOfProcess) return millisOf(clock)
  const millis = performance.now()
  return millis + (origin ??= millisOf(clock) - millis)
}

/**
 * Reads both sides of a clock at hand.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const nowUnsafe = (clock: Clock.Clock): Instant => ({
  wall: clock.currentTimeMillisUnsafe(),
  monotonic: monotonicUnsafe(clock)
})

/**
 * Reads both clocks.
 *
 * @example
 * ```ts
 * import { Instant } from "@effect-identity/oauth"
 * import { Effect } from "effect"
 * import { TestClock } from "effect/testing"
 *
 * const program = Effect.gen(function*() {
 *   const before = yield* Instant.now
 *   yield* TestClock.adjust("1 second")
 *   return Instant.elapsed(before, yield* Instant.now)
 * })
 *
 * Effect.runPromise(Effect.provide(program, TestClock.layer())) // => 1000
 * ```
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const now: Effect.Effect<Instant> = Clock.clockWith((clock) => Effect.succeed(nowUnsafe(clock)))

/**
 * Milliseconds from `from` to `to` by the clock that moved further. Never negative, so a wall clock that was set back
 * does not make anything younger.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const elapsed = (from: Instant, to: Instant): number =>
  Math.max(0, to.wall - from.wall, to.monotonic - from.monotonic)
