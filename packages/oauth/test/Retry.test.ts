import { Retry } from "@effect-identity/oauth"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Fiber, Random } from "effect"
import { TestClock } from "effect/testing"

/** An effect that fails so many times, and when it was tried. */
const flaky = (failures: number) => {
  const tried: Array<number> = []
  const effect = Effect.flatMap(Clock.currentTimeMillis, (now) => {
    tried.push(now)
    return tried.length > failures ? Effect.succeed("answer") : Effect.fail(`failure ${tried.length}`)
  })
  return { effect, tried }
}

const options = (retryAfter?: Duration.Duration, isRetryable = true) => ({
  timeout: Duration.seconds(10),
  advice: () => ({ isRetryable, retryAfter }),
  onTimeout: () => "timeout"
})

/** Random numbers, all the same. */
const drawing = (number: number) =>
  Effect.provideService(Random.Random, { nextIntUnsafe: () => 0, nextDoubleUnsafe: () => number })

const running = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.forkChild(Effect.result(effect), { startImmediately: true })

describe("Retry", () => {
  it.effect("tries three times at most, after random parts of a quarter and of half a second", () =>
    Effect.gen(function*() {
      for (const [drawn, expected] of [[1, [0, 250, 750]], [0.5, [0, 125, 375]], [0, [0, 0, 0]]] as const) {
        const began = yield* Clock.currentTimeMillis
        const { effect, tried } = flaky(5)
        const fiber = yield* running(Retry.within(effect, options()).pipe(drawing(drawn)))
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* Fiber.join(fiber), yield* Effect.result(Effect.fail("failure 3")))
        assert.deepStrictEqual(tried.map((at) => at - began), [...expected])
      }
    }))

  it.effect("answers as soon as it can", () =>
    Effect.gen(function*() {
      const { effect, tried } = flaky(1)
      const fiber = yield* Effect.forkChild(Retry.within(effect, options()).pipe(drawing(1)), {
        startImmediately: true
      })
      yield* TestClock.adjust("250 millis")
      assert.strictEqual(yield* Fiber.join(fiber), "answer")
      assert.lengthOf(tried, 2)
    }))

  it.effect("does not repeat what another attempt does not change, or what was to be tried once", () =>
    Effect.gen(function*() {
      const permanent = flaky(1)
      assert.strictEqual(yield* Effect.flip(Retry.within(permanent.effect, options(undefined, false))), "failure 1")
      const once = flaky(1)
      assert.strictEqual(yield* Effect.flip(Retry.once(Retry.within(once.effect, options()))), "failure 1")
      assert.deepStrictEqual([permanent.tried.length, once.tried.length], [1, 1])
    }))

  it.effect("waits as long as it is told", () =>
    Effect.gen(function*() {
      const { effect, tried } = flaky(1)
      const fiber = yield* Effect.forkChild(Retry.within(effect, options(Duration.seconds(3))), {
        startImmediately: true
      })
      yield* TestClock.adjust("2999 millis")
      assert.lengthOf(tried, 1)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* Fiber.join(fiber), "answer")
    }))

  it.effect("spreads those who were told the same wait, never before its end", () =>
    Effect.gen(function*() {
      for (const [drawn, expected] of [[0, 3000], [0.5, 3300], [1, 3600]] as const) {
        const began = yield* Clock.currentTimeMillis
        const { effect, tried } = flaky(1)
        const spread = { ...options(Duration.seconds(3)), spread: 0.2 }
        const fiber = yield* running(Retry.within(effect, spread).pipe(drawing(drawn)))
        yield* TestClock.adjust("4 seconds")
        yield* Fiber.join(fiber)
        assert.deepStrictEqual(tried.map((at) => Math.round(at - began)), [0, expected])
      }
    }))

  it.effect("does not begin a wait that it has no time for", () =>
    Effect.gen(function*() {
      const { effect } = flaky(1)
      assert.strictEqual(yield* Effect.flip(Retry.within(effect, options(Duration.seconds(10)))), "failure 1")
      const slow = flaky(1)
      const fiber = yield* running(Retry.within(Effect.delay(slow.effect, "8 seconds"), options(Duration.seconds(2))))
      yield* TestClock.adjust("8 seconds")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "Failure")
      assert.lengthOf(slow.tried, 1)
    }))

  it.effect("fails with the last failure when its time is over, and with a timeout when there was none", () =>
    Effect.gen(function*() {
      const { effect } = flaky(1)
      let nth = 0
      const hanging = Effect.suspend(() => nth++ === 0 ? effect : Effect.never)
      const after = yield* Effect.forkChild(Effect.flip(Retry.within(hanging, options())), { startImmediately: true })
      const never = yield* Effect.forkChild(Effect.flip(Retry.within(Effect.never, options())), {
        startImmediately: true
      })
      yield* TestClock.adjust("9999 millis")
      assert.isUndefined(never.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* Fiber.join(after), "failure 1")
      assert.strictEqual(yield* Fiber.join(never), "timeout")
    }))

  it.effect("tells the span how often it came again", () =>
    Effect.gen(function*() {
      const fiber = yield* Effect.forkChild(
        Effect.andThen(Retry.within(flaky(2).effect, options()), Effect.currentSpan).pipe(Effect.withSpan("call")),
        { startImmediately: true }
      )
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(fiber)).attributes.get("http.request.resend_count"), 2)
    }))
})
