import { AccessToken, TokenCache, TokenMetrics } from "@effect-identity/oauth"
import { assert, describe, it, vi } from "@effect/vitest"
import { Clock, Context, Effect, Exit, Metric, Redacted, Scope } from "effect"
import { TestClock } from "effect/testing"

const source = AccessToken.make({ value: Redacted.make("t0ken"), lifetime: "1 hour" })

const isolated = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => Effect.provideService(effect, Metric.MetricRegistry, new Map()))

const hits = Effect.map(
  Metric.value(Metric.withAttributes(TokenMetrics.answers, { reason: "hit" })),
  ({ count }) => Number(count)
)

/** A clock whose two sides are moved by hand. */
const byHand = () => {
  const at = { wall: 1_000_000, monotonicNanos: 0n }
  const wall = () => at.wall
  const clock: Clock.Clock = {
    currentTimeMillisUnsafe: wall,
    currentTimeMillis: Effect.sync(wall),
    currentTimeNanosUnsafe: () => BigInt(at.wall) * 1_000_000n,
    currentTimeNanos: Effect.sync(() => BigInt(at.wall) * 1_000_000n),
    monotonicTimeNanosUnsafe: () => at.monotonicNanos,
    monotonicTimeNanos: Effect.sync(() => at.monotonicNanos),
    sleep: () => Effect.void
  }
  return { at, clock }
}

describe("TokenCache.freshUnsafe", () => {
  it.effect("gives the token that is held, until it is due", () =>
    Effect.gen(function*() {
      const context = yield* Effect.context<never>()
      const cache = yield* TokenCache.make()
      assert.isUndefined(cache.freshUnsafe("app", context))
      const token = yield* cache.get("app", source)
      assert.strictEqual(cache.freshUnsafe("app", context), token)
      assert.isUndefined(cache.freshUnsafe("other", context))
      yield* TestClock.adjust("50 minutes")
      assert.isUndefined(cache.freshUnsafe("app", context))
    }))

  it.live("follows both clocks of the process, whichever is further on", () =>
    Effect.gen(function*() {
      const context = yield* Effect.context<never>()
      const cache = yield* TokenCache.make()
      const token = yield* cache.get("app", source)
      const began = { wall: yield* Clock.currentTimeMillis, monotonic: performance.now() }
      const freshAfter = (wall: number, monotonic: number) => {
        vi.spyOn(Date, "now").mockReturnValue(began.wall + wall)
        vi.spyOn(performance, "now").mockReturnValue(began.monotonic + monotonic)
        return cache.freshUnsafe("app", context)
      }
      const later = 50 * 60_000
      assert.strictEqual(freshAfter(1000, 1000), token)
      assert.isUndefined(freshAfter(1001, later))
      assert.isUndefined(freshAfter(later, 1002))
      assert.strictEqual(freshAfter(1003, 1003), token)
    }).pipe(Effect.ensuring(Effect.sync(() => vi.restoreAllMocks()))))

  it.effect("gives nothing that was refused, or evicted, or is in a closed cache", () =>
    Effect.gen(function*() {
      const context = yield* Effect.context<never>()
      const scope = yield* Scope.make()
      const cache = yield* Scope.provide(TokenCache.make({ capacity: 2 }), scope)
      const refused = yield* cache.get("refused", source)
      yield* cache.reject("refused", refused)
      assert.isUndefined(cache.freshUnsafe("refused", context))
      yield* cache.get("a", source)
      yield* cache.get("b", source)
      assert.isDefined(cache.freshUnsafe("a", context))
      // Whoever was used last stays.
      yield* cache.get("c", source)
      assert.isDefined(cache.freshUnsafe("a", context))
      assert.isUndefined(cache.freshUnsafe("b", context))
      yield* Scope.close(scope, Exit.void)
      assert.isUndefined(cache.freshUnsafe("a", context))
    }))

  it.effect("counts every hit, those of one turn of the event loop together", () =>
    isolated(Effect.gen(function*() {
      const context = yield* Effect.context<never>()
      const cache = yield* TokenCache.make()
      yield* cache.get("app", source)
      cache.freshUnsafe("app", context)
      assert.strictEqual(yield* hits, 1)
      for (let nth = 0; nth < 1000; nth++) cache.freshUnsafe("app", context)
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      assert.strictEqual(yield* hits, 1001)
      yield* cache.get("app", source)
      assert.strictEqual(yield* hits, 1002)
    })))

  it.effect("sees at once where a clock that someone made was set to, however little the other side moved", () =>
    Effect.gen(function*() {
      const { at, clock } = byHand()
      const context = Context.make(Clock.Clock, clock)
      const cache = yield* TokenCache.make()
      yield* Effect.provideService(cache.get("app", source), Clock.Clock, clock)
      for (let nth = 0; nth < 3; nth++) {
        at.monotonicNanos += 100_000n
        assert.isDefined(cache.freshUnsafe("app", context))
      }
      at.monotonicNanos += 100_000n
      at.wall += 7_200_000
      assert.isUndefined(cache.freshUnsafe("app", context))
    }))
})
