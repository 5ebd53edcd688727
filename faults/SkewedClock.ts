/**
 * The clock of this process, whose two readings can be moved apart.
 */
import { Clock, Effect } from "effect"

export interface Skew {
  wallMillis: number
  monotonicMillis: number
}

export const make = Effect.clockWith((clock) => {
  const skew: Skew = { wallMillis: 0, monotonicMillis: 0 }
  const wall = () => clock.currentTimeMillisUnsafe() + skew.wallMillis
  const wallNanos = () => clock.currentTimeNanosUnsafe() + BigInt(skew.wallMillis) * 1_000_000n
  const monotonic = () => clock.monotonicTimeNanosUnsafe() + BigInt(skew.monotonicMillis) * 1_000_000n
  const skewed: Clock.Clock = {
    currentTimeMillisUnsafe: wall,
    currentTimeMillis: Effect.sync(wall),
    currentTimeNanosUnsafe: wallNanos,
    currentTimeNanos: Effect.sync(wallNanos),
    monotonicTimeNanosUnsafe: monotonic,
    monotonicTimeNanos: Effect.sync(monotonic),
    sleep: (duration) => clock.sleep(duration)
  }
  return Effect.succeed({ skew, at: Effect.provideService(Clock.Clock, skewed) })
})
