import { StoreFailed } from "@effect-identity/token-server/internal/Failure"
import * as Callers from "@effect-identity/token-server/internal/http/Callers"
import { type ApiKey, ApiKeyStore } from "@effect-identity/token-server/internal/store/ApiKeyStore"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Context, Duration, Effect, Exit, Layer } from "effect"
import { TestClock } from "effect/testing"

const good: ApiKey = {
  id: "one",
  name: "one",
  role: "reader",
  realms: "*",
  createdAt: 0,
  expiresAt: undefined,
  revokedAt: undefined
}

const start = Effect.gen(function*() {
  const state = { key: good, asked: 0, isDown: false }
  const notUsed = () => Effect.die("not used here")
  const store = ApiKeyStore.of({
    find: () =>
      Effect.suspend(() => {
        state.asked++
        return state.isDown ? Effect.fail(new StoreFailed({ detail: "unavailable" })) : Effect.succeed(state.key)
      }).pipe(Effect.delay("10 millis")),
    create: notUsed,
    list: notUsed,
    revoke: notUsed,
    usable: Effect.die("not used here")
  })
  const context = yield* Layer.build(Callers.layer.pipe(Layer.provide(Layer.succeed(ApiKeyStore, store))))
  const callers = Context.get(context, Callers.Callers)
  const clock = yield* Clock.Clock
  const find = (use: "change" | "read") => {
    const looking = Effect.exit(callers.find("digest", use))
    return Effect.map(
      Effect.all([looking, TestClock.adjust("10 millis")], { concurrency: 2 }),
      ([exit]) => Exit.isSuccess(exit)
    )
  }
  return { callers, find, peek: () => callers.peekUnsafe("digest", clock.currentTimeMillisUnsafe()), state }
})

describe("a key that the database has called good", () => {
  it.effect("is asked for again once before its five seconds are over, by hundreds who use it, and none of them waits", () =>
    Effect.gen(function*() {
      const { find, peek, state } = yield* start
      assert.strictEqual(peek(), undefined)
      assert.isTrue(yield* find("read"))
      for (let seconds = 0; seconds < 60; seconds++) {
        for (let uses = 0; uses < 300; uses++) assert.strictEqual(peek(), good)
        yield* TestClock.adjust("1 second")
      }
      assert.isBelow(state.asked, 60 / 2.5 + 2)
    }))

  it.effect("gets nobody in five seconds after it was revoked elsewhere", () =>
    Effect.gen(function*() {
      const { find, peek, state } = yield* start
      yield* find("read")
      state.key = { ...good, revokedAt: 1 }
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(peek(), undefined)
      assert.isFalse(yield* find("read"))
      assert.strictEqual(peek(), undefined)
    }))

  it.effect("gets nobody in from the moment it expires or is forgotten", () =>
    Effect.gen(function*() {
      const { callers, find, peek, state } = yield* start
      state.key = { ...good, expiresAt: 2000 }
      yield* find("read")
      assert.strictEqual(peek(), state.key)
      yield* TestClock.adjust("1989 millis")
      assert.strictEqual(peek(), state.key)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(peek(), undefined)

      state.key = good
      yield* callers.forget
      yield* find("read")
      assert.strictEqual(peek(), good)
      yield* callers.forget
      assert.strictEqual(peek(), undefined)
    }))

  it.effect("reads for the grace while the database cannot be asked, and changes nothing", () =>
    Effect.gen(function*() {
      const { find, peek, state } = yield* start
      yield* find("read")
      state.isDown = true
      yield* TestClock.adjust("6 seconds")
      assert.isFalse(yield* find("change"))
      assert.isTrue(yield* find("read"))
      assert.strictEqual(peek(), good)
      yield* TestClock.adjust(Duration.minutes(14))
      assert.isTrue(yield* find("read"))
      yield* TestClock.adjust(Duration.minutes(1))
      assert.isFalse(yield* find("read"))
      assert.strictEqual(peek(), undefined)
    }))
})
