import { Quiet } from "@effect-identity/oauth"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"

/** Timers that hold the process, as long as the effect runs. */
const holds = (effect: Effect.Effect<unknown>) =>
  Effect.gen(function*() {
    const before = process.getActiveResourcesInfo().filter((name) => name === "Timeout").length
    const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
    const during = process.getActiveResourcesInfo().filter((name) => name === "Timeout").length
    yield* Fiber.interrupt(fiber)
    const after = process.getActiveResourcesInfo().filter((name) => name === "Timeout").length
    assert.strictEqual(after, before)
    return during - before
  })

describe("Quiet", () => {
  it.live("holds the process by no timer, unlike everything else", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* holds(Effect.sleep("1 hour")), 1)
      assert.strictEqual(yield* holds(Quiet.run(Effect.sleep("1 hour"))), 0)
      assert.strictEqual(yield* holds(Quiet.run(Effect.sleep(Duration.infinity))), 0)
    }))

  it.live("still sleeps as long as it should", () =>
    Effect.gen(function*() {
      const [elapsed] = yield* Effect.timed(Quiet.run(Effect.sleep("30 millis")))
      assert.isAtLeast(Duration.toMillis(elapsed), 25)
      const long = yield* Effect.forkChild(Quiet.run(Effect.sleep(Duration.millis(2 ** 31 * 1.5))), {
        startImmediately: true
      })
      yield* Effect.sleep("20 millis")
      assert.isUndefined(long.pollUnsafe(), "a timer that was too long fired at once")
      yield* Fiber.interrupt(long)
    }))

  it.live("tells the time of the process", () =>
    Effect.gen(function*() {
      const read = Clock.clockWith((clock) =>
        Effect.all([
          Effect.sync(() => clock.currentTimeMillisUnsafe()),
          clock.currentTimeMillis,
          Effect.map(Effect.sync(() => clock.currentTimeNanosUnsafe()), (nanos) => Number(nanos / 1_000_000n)),
          Effect.map(clock.currentTimeNanos, (nanos) => Number(nanos / 1_000_000n))
        ])
      )
      const readMonotonic = Clock.clockWith((clock) =>
        Effect.zip(Effect.sync(() => clock.monotonicTimeNanosUnsafe()), clock.monotonicTimeNanos)
      )
      const [loud, quiet] = [yield* read, yield* Quiet.run(read)]
      for (const [index, millis] of quiet.entries()) assert.closeTo(millis, loud[index] ?? 0, 1000)
      const [before, quietly] = [yield* readMonotonic, yield* Quiet.run(readMonotonic)]
      assert.isTrue(quietly[0] >= before[1] && quietly[1] >= quietly[0])
      assert.isBelow(Number(quietly[1] - before[0]), 1e9)
    }))

  it.live("says that it is quiet", () =>
    Effect.gen(function*() {
      assert.isFalse(yield* Quiet.Quiet)
      assert.isTrue(yield* Quiet.run(Quiet.Quiet))
    }))

  it.effect("leaves another clock as it is", () =>
    Effect.gen(function*() {
      const fiber = yield* Effect.forkChild(Quiet.run(Effect.as(Effect.sleep("1 hour"), "awake")), {
        startImmediately: true
      })
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(yield* Fiber.join(fiber), "awake")
    }))
})
