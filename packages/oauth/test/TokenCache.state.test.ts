import { AccessToken, OAuthError, Retry, TokenCache } from "@effect-identity/oauth"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Exit, Fiber, Random, Redacted } from "effect"
import { TestClock } from "effect/testing"

const tokenOf = (value: string, lifetime: Duration.Input = "1 hour") =>
  AccessToken.make({ value: Redacted.make(value), lifetime })

const valueOf = (token: AccessToken.AccessToken) => Redacted.value(token.value)

const failure = new OAuthError.OAuthError({
  operation: "clientCredentials",
  reason: new OAuthError.Status({ status: 503 }),
  requestId: "log-7"
})

/** Random numbers, all the same. */
const drawing = (number: number) =>
  Effect.provideService(Random.Random, { nextIntUnsafe: () => 0, nextDoubleUnsafe: () => number })

const forked = <A, E>(effect: Effect.Effect<A, E>) => Effect.forkChild(effect, { startImmediately: true })

describe("what the cache knows of a key", () => {
  it.effect("is nothing before anyone has asked", () =>
    Effect.gen(function*() {
      const cache = yield* TokenCache.make()
      assert.deepStrictEqual(yield* cache.peek("app"), {
        held: undefined,
        isDue: false,
        isFlying: false,
        coolDown: undefined,
        lastAnswer: undefined
      })
    }))

  it.effect("is whether someone asks, in whatever way", () =>
    Effect.gen(function*() {
      const cache = yield* TokenCache.make()
      const isFlying = Effect.map(cache.peek("app"), (snapshot) => snapshot.isFlying)
      const get = yield* forked(cache.get("app", Effect.never))
      assert.isTrue(yield* isFlying)
      yield* Fiber.interrupt(get)
      assert.isFalse(yield* isFlying)
      const first = yield* forked(cache.refresh("app", Effect.delay(Effect.fail(failure), "1 second")))
      const second = yield* forked(cache.refresh("app", Effect.never))
      assert.isTrue(yield* isFlying)
      yield* Fiber.interrupt(first)
      assert.isTrue(yield* isFlying)
      yield* Fiber.interrupt(second)
      assert.isFalse(yield* isFlying)
    }))

  it.effect("is a failure, for as long as that is remembered", () =>
    Effect.gen(function*() {
      const cache = yield* TokenCache.make()
      yield* drawing(0.5)(Effect.exit(cache.get("app", Effect.fail(failure))))
      const { coolDown } = yield* cache.peek("app")
      assert.strictEqual(coolDown?.error, failure)
      assert.strictEqual(Duration.toMillis(coolDown?.remaining ?? Duration.zero), 1500)
      const told = yield* Effect.flip(cache.get("app", tokenOf("early")))
      assert.deepStrictEqual([told.requestId, Duration.toMillis(told.retryAfter ?? 0)], ["log-7", 1500])
      yield* TestClock.adjust("1499 millis")
      assert.isDefined((yield* cache.peek("app")).coolDown)
      yield* TestClock.adjust("1 millis")
      assert.isUndefined((yield* cache.peek("app")).coolDown)
      assert.strictEqual(valueOf(yield* cache.get("app", tokenOf("next"))), "next")
      assert.isUndefined((yield* cache.peek("app")).coolDown)
    }))

  for (
    const [lifetime, drawn, due, end] of [
      [3_600_000, 0, 2_520_000, 3_599_000],
      [3_600_000, 0.5, 2_700_000, 3_599_000],
      [3_600_000, 1, 2_880_000, 3_599_000],
      [300_000, 1, 240_000, 299_000],
      [120_000, 0, 54_000, 119_000],
      [120_000, 1, 60_000, 119_000],
      [30_000, 0, 13_500, 29_250],
      [30_000, 1, 15_000, 29_250],
      [1000, 1, 500, 975]
    ] as const
  ) {
    it.effect(`is that a token of ${lifetime} ms is due after ${due} ms, and over after ${end} (drawn: ${drawn})`, () =>
      Effect.gen(function*() {
        const cache = yield* TokenCache.make()
        yield* drawing(drawn)(cache.get("app", tokenOf("t", Duration.millis(lifetime))))
        const adjustTo = (millis: number, from: number) => TestClock.adjust(Duration.millis(millis - from))
        yield* adjustTo(due - 1, 0)
        assert.isFalse((yield* cache.peek("app")).isDue)
        yield* adjustTo(due, due - 1)
        assert.isTrue((yield* cache.peek("app")).isDue)
        yield* adjustTo(end - 1, due)
        assert.isDefined((yield* cache.peek("app")).held)
        yield* adjustTo(end, end - 1)
        const { held, isDue } = yield* cache.peek("app")
        assert.deepStrictEqual([held, isDue], [undefined, true])
      }))
  }

  it.effect("is that a token which was long on its way is not due when it lands", () =>
    Effect.gen(function*() {
      const cache = yield* TokenCache.make()
      const fiber = yield* forked(cache.get("app", Effect.tap(tokenOf("t", "10 seconds"), Effect.sleep("6 seconds"))))
      yield* TestClock.adjust("6 seconds")
      yield* Fiber.join(fiber)
      // A quarter of what is left until 9.75 s.
      yield* TestClock.adjust("937 millis")
      assert.isFalse((yield* cache.peek("app")).isDue)
      yield* TestClock.adjust("1 millis")
      assert.isTrue((yield* cache.peek("app")).isDue)
    }))

  it.effect("is why a token was handed out", () =>
    Effect.gen(function*() {
      const cache = yield* TokenCache.make()
      const last = Effect.map(cache.peek("app"), ({ lastAnswer }) => lastAnswer)
      const token = yield* cache.get("app", tokenOf("1"))
      assert.strictEqual(yield* last, "miss")
      yield* cache.reject("app", token)
      yield* cache.get("app", tokenOf("2"))
      assert.strictEqual(yield* last, "rejected")
      assert.strictEqual((yield* cache.peek("app")).held?.fetchedFor, "rejected")
      const third = yield* cache.refresh("app", tokenOf("3"))
      assert.strictEqual(yield* last, "forced")
      // A forced one is no replacement of a refused one, so it may be refused at once.
      assert.isTrue(yield* cache.reject("app", third))
      yield* TestClock.adjust("2 hours")
      yield* cache.get("app", tokenOf("4"))
      yield* TestClock.adjust("2 hours")
      yield* cache.get("app", tokenOf("5"))
      assert.strictEqual(yield* last, "miss", "it was not refused this time")
    }))
})

describe("flights", () => {
  const attempts = Effect.map(Retry.Attempts, (count) => {
    seen.push(count)
    return count
  })
  const seen: Array<number> = []

  it.effect("repeat what they ask only where nobody has failed and somebody waits", () =>
    Effect.gen(function*() {
      seen.length = 0
      const cache = yield* TokenCache.make()
      yield* Effect.exit(cache.get("app", Effect.andThen(attempts, Effect.fail(failure))))
      yield* TestClock.adjust("3 seconds")
      yield* cache.get("app", Effect.andThen(attempts, tokenOf("1")))
      yield* TestClock.adjust("50 minutes")
      yield* cache.get("app", Effect.andThen(attempts, tokenOf("2")))
      yield* cache.refresh("app", Effect.andThen(attempts, tokenOf("3")))
      assert.deepStrictEqual(seen, [3, 1, 1, 3])
    }))

  it.effect("that are forced one after the other stop when the first fails", () =>
    Effect.gen(function*() {
      const cache = yield* TokenCache.make()
      let asked = 0
      const failing = Effect.suspend(() => {
        asked++
        return Effect.delay(Effect.fail(failure), "1 second")
      })
      const first = yield* forked(cache.refresh("app", failing))
      const others = yield* Effect.forEach([1, 2, 3], () => forked(cache.refresh("app", failing)))
      yield* TestClock.adjust("1 second")
      assert.isTrue(Exit.isFailure(yield* Fiber.await(first)))
      for (const other of others) {
        const error = yield* Effect.flip(Fiber.join(other))
        assert.isAbove(Duration.toMillis(error.retryAfter ?? 0), 999)
      }
      assert.strictEqual(asked, 1)
    }))

  it.effect("that are forced one after the other both land, the second for all who came meanwhile", () =>
    Effect.gen(function*() {
      const cache = yield* TokenCache.make()
      let asked = 0
      const source = Effect.suspend(() => Effect.tap(tokenOf(`token-${++asked}`), Effect.sleep("1 second")))
      const first = yield* forked(cache.refresh("app", source))
      const others = yield* Effect.forEach([1, 2, 3], () => forked(cache.refresh("app", source)))
      const reader = yield* forked(cache.get("app", source))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(valueOf(yield* Fiber.join(first)), "token-1")
      assert.strictEqual(valueOf(yield* Fiber.join(reader)), "token-1")
      yield* TestClock.adjust("1 second")
      for (const other of others) assert.strictEqual(valueOf(yield* Fiber.join(other)), "token-2")
      const later = yield* forked(cache.refresh("app", source))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(valueOf(yield* Fiber.join(later)), "token-3")
      assert.strictEqual(asked, 3)
    }))

  it.effect("never put an older token in the place of a newer one, nor a failure", () =>
    Effect.gen(function*() {
      const cache = yield* TokenCache.make()
      const gate = yield* Deferred.make<void>()
      const slow = yield* forked(cache.get("app", Effect.andThen(Deferred.await(gate), tokenOf("older"))))
      yield* cache.refresh("app", tokenOf("newer"))
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual(valueOf(yield* Fiber.join(slow)), "older")
      assert.strictEqual(valueOf(yield* cache.get("app", tokenOf("another"))), "newer")

      yield* TestClock.adjust("50 minutes")
      const failing = yield* Deferred.make<void>()
      yield* cache.get("app", Effect.andThen(Deferred.await(failing), Effect.fail(failure)))
      yield* cache.refresh("app", tokenOf("newest"))
      yield* Deferred.succeed(failing, undefined)
      while ((yield* cache.peek("app")).isFlying) yield* Effect.yieldNow
      assert.isUndefined((yield* cache.peek("app")).coolDown)
    }))

  it.effect("leave nothing behind when everyone has left, and the next one begins anew", () =>
    Effect.gen(function*() {
      const cache = yield* TokenCache.make()
      const leaving = yield* forked(cache.get("app", Effect.uninterruptible(Effect.delay(tokenOf("late"), "1 second"))))
      const left = yield* forked(Fiber.interrupt(leaving))
      assert.strictEqual(valueOf(yield* cache.get("app", tokenOf("next"))), "next")
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(left)
      assert.strictEqual(valueOf(yield* cache.get("app", tokenOf("another"))), "next")
    }))

  it.effect("in the background go on when those who came to wait for them have left", () =>
    Effect.gen(function*() {
      const cache = yield* TokenCache.make()
      yield* cache.get("app", tokenOf("1", "4 seconds"))
      yield* TestClock.adjust("3 seconds")
      yield* cache.get("app", Effect.tap(tokenOf("2"), Effect.sleep("950 millis")))
      yield* TestClock.adjust("940 millis")
      const waiting = yield* forked(cache.get("app", tokenOf("3")))
      assert.isUndefined(waiting.pollUnsafe())
      yield* Fiber.interrupt(waiting)
      yield* TestClock.adjust("10 millis")
      assert.strictEqual(valueOf(yield* cache.get("app", tokenOf("4"))), "2")
    }))
})
