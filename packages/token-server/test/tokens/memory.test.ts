/**
 * What is handed out of memory, for how long, and what happens when a token is due, refused or not to be had.
 */
import { Instant } from "@effect-identity/oauth"
import { SecretStore } from "@effect-identity/token-server/internal/store/SecretStore"
import type { HandedOut } from "@effect-identity/token-server/internal/tokens/Tokens"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Redacted } from "effect"
import { TestClock } from "effect/testing"
import * as Servers from "./Servers.ts"

const shown = ({ source, value }: HandedOut) => [Redacted.value(value), source] as const

describe("the life of a token", () => {
  for (
    const { age, minTtl, source } of [
      { age: 0, minTtl: undefined, source: "memory" },
      { age: 1000, minTtl: 2600, source: "memory" },
      // No more than half of a life can be asked for, or tokens of an hour would never be used twice.
      { age: 1000, minTtl: 7200, source: "memory" },
      { age: 1790, minTtl: 7200, source: "memory" },
      { age: 1810, minTtl: 7200, source: "upstream" },
      { age: 1810, minTtl: undefined, source: "memory" },
      { age: 3000, minTtl: 599, source: "memory" },
      { age: 3000, minTtl: 601, source: "upstream" },
      { age: 3590, minTtl: undefined, source: "memory" },
      { age: 3599.5, minTtl: undefined, source: "upstream" }
    ]
  ) {
    it.effect(`of an hour, ${age} s old, for someone who needs ${minTtl} s more of it, comes from ${source}`, () =>
      Effect.gen(function*() {
        const issuer = yield* Servers.setUp({})
        issuer.life = 3_600_000
        const server = yield* Servers.open(issuer)
        yield* server.get(Servers.app)
        yield* TestClock.adjust(age * 1000)
        const wanted = { ...Servers.app, minTtl: minTtl === undefined ? undefined : Duration.seconds(minTtl) }
        const answer = yield* server.get(wanted)
        assert.strictEqual(answer.source, source)
        assert.isAtMost(answer.expiresIn, source === "memory" ? 3_600_000 - age * 1000 : 3_600_000)
      }).pipe(Effect.scoped, Effect.provide(Servers.layer)))
  }

  it.effect("ends in the background: who asks late gets it at once, and who asks next gets the one after it", () =>
    Effect.gen(function*() {
      const issuer = yield* Servers.setUp({})
      const server = yield* Servers.open(issuer)
      yield* server.get(Servers.app)
      yield* TestClock.adjust(issuer.life * 0.74)
      assert.deepStrictEqual(shown(yield* server.get(Servers.app)), ["token-1", "memory"])
      assert.strictEqual(issuer.sent, 1)
      yield* TestClock.adjust(issuer.life * 0.07)
      const gate = new Servers.Gate()
      issuer.onIssue = gate.stop
      assert.deepStrictEqual(shown(yield* server.get(Servers.app)), ["token-1", "memory"])
      yield* gate.arrival
      assert.deepStrictEqual(shown(yield* server.get(Servers.app)), ["token-1", "memory"])
      yield* gate.open
      yield* Servers.until(() => issuer.issued.length === 2)
      yield* Servers.settled
      assert.deepStrictEqual(shown(yield* server.get(Servers.app)), ["token-2", "memory"])
      assert.strictEqual(issuer.sent, 2)
    }).pipe(Effect.scoped, Effect.provide(Servers.layer)))

  it.effect("is used to its end when there is no other, then the failure is told with how long it lasts", () =>
    Effect.gen(function*() {
      const issuer = yield* Servers.setUp({})
      const server = yield* Servers.open(issuer)
      yield* server.get(Servers.app)
      issuer.failures.push(...Array.from({ length: 500 }, () => Servers.refused(true, Duration.hours(10))))
      yield* TestClock.adjust(issuer.life * 0.81)
      for (let asked = 0; asked < 10; asked++) {
        assert.deepStrictEqual(shown(yield* Servers.inTime(server.get(Servers.app))), ["token-1", "memory"])
        yield* Servers.settled
        yield* TestClock.adjust(issuer.life * 0.0185)
      }
      // A pause that is as long as the upstream asks for would outlast the token.
      assert.isAbove(issuer.sent, 2)
      assert.isBelow(issuer.sent, 12)
      yield* TestClock.adjust(issuer.life * 0.01)
      const failure = yield* Effect.flip(Servers.inTime(server.get(Servers.app)))
      assert.strictEqual(failure.message, "upstream: refused (40001) (HTTP 400)")
    }).pipe(Effect.scoped, Effect.provide(Servers.layer)))
})

describe("a refusal", () => {
  it.effect("is told by every server until somebody may ask again", () =>
    Effect.gen(function*() {
      const issuer = yield* Servers.setUp({})
      const one = yield* Servers.open(issuer)
      const other = yield* Servers.open(issuer)
      issuer.failures.push(Servers.refused(false))
      const failures = yield* Effect.all(
        Array.from({ length: 50 }, () => Effect.flip(one.get(Servers.app))),
        { concurrency: "unbounded" }
      )
      failures.push(yield* Effect.flip(other.get(Servers.app)), yield* Effect.flip(one.get(Servers.app)))
      assert.deepStrictEqual(
        new Set(failures.map(({ message }) => message)),
        new Set(["upstream: refused (40001) (HTTP 400)"])
      )
      const last = failures.at(-1)
      assert.isTrue(last?._tag === "UpstreamFailed" && Duration.toMillis(last.retryAfter ?? 0) > 10_000)
      assert.strictEqual(issuer.sent, 1)
      yield* TestClock.adjust("31 seconds")
      assert.deepStrictEqual(shown(yield* other.get(Servers.app)), ["token-1", "upstream"])
    }).pipe(Effect.scoped, Effect.provide(Servers.layer)))

  it.effect("says nothing about a new secret", () =>
    Effect.gen(function*() {
      const issuer = yield* Servers.setUp({})
      const server = yield* Servers.open(issuer)
      issuer.failures.push(Servers.refused(false))
      yield* Effect.flip(server.get(Servers.app))
      yield* Servers.saveSecret("wx", "app", "s2")
      yield* server.forget("wx", "app")
      assert.deepStrictEqual(shown(yield* server.get(Servers.app)), ["token-1", "upstream"])
    }).pipe(Effect.scoped, Effect.provide(Servers.layer)))
})

describe("a new token that is asked for", () => {
  it.effect("is one for all who ask at the same time, on any server, and counts once", () =>
    Effect.gen(function*() {
      const issuer = yield* Servers.setUp({ refresh_budget: { limit: 1, window_ms: 60_000 } })
      const one = yield* Servers.open(issuer)
      const other = yield* Servers.open(issuer)
      yield* one.get(Servers.app)
      yield* other.get(Servers.app)
      const gate = new Servers.Gate()
      issuer.onIssue = gate.stop
      const flushes = yield* Effect.forkChild(
        Effect.all([one.flush(Servers.app), one.flush(Servers.app), other.flush(Servers.app)], {
          concurrency: "unbounded"
        })
      )
      yield* gate.arrival
      yield* Servers.settled
      yield* gate.open
      const answers = yield* Servers.inTime(Fiber.join(flushes))
      assert.deepStrictEqual(new Set(answers.map(({ value }) => Redacted.value(value))), new Set(["token-2"]))
      assert.strictEqual(issuer.sent, 2)
      const spent = yield* Effect.flip(one.flush(Servers.app))
      assert.isTrue(spent._tag === "BudgetSpent" && Duration.toMillis(spent.retryAfter) > 0)
      assert.strictEqual(issuer.sent, 2)
      yield* TestClock.adjust("60 seconds")
      assert.deepStrictEqual(shown(yield* other.flush(Servers.app)), ["token-3", "upstream"])
    }).pipe(Effect.scoped, Effect.provide(Servers.layer)))

  it.effect("is the one that a refresh under way brings", () =>
    Effect.gen(function*() {
      const issuer = yield* Servers.setUp({})
      const server = yield* Servers.open(issuer)
      yield* server.get(Servers.app)
      yield* TestClock.adjust(issuer.life * 0.81)
      const gate = new Servers.Gate()
      issuer.onIssue = gate.stop
      yield* server.get(Servers.app)
      yield* gate.arrival
      const flush = yield* Effect.forkChild(server.flush(Servers.app))
      yield* Servers.settled
      yield* gate.open
      assert.deepStrictEqual(shown(yield* Fiber.join(flush)), ["token-2", "upstream"])
      assert.strictEqual(issuer.sent, 2)
    }).pipe(Effect.scoped, Effect.provide(Servers.layer)))
})

describe("a token that was refused", () => {
  it.effect("is replaced once, whoever says so, and only while it is the one in use", () =>
    Effect.gen(function*() {
      const issuer = yield* Servers.setUp({ refresh_budget: { limit: 2, window_ms: 60_000 } })
      const one = yield* Servers.open(issuer)
      const other = yield* Servers.open(issuer)
      const first = yield* one.get(Servers.app)
      yield* other.get(Servers.app)
      assert.strictEqual(yield* one.report("wx", "app", Redacted.make("never issued")), "not-current")
      assert.strictEqual(yield* one.report("wx", "app", first.value), "replaced")
      assert.strictEqual(yield* other.report("wx", "app", first.value), "not-current")
      assert.deepStrictEqual(shown(yield* other.get(Servers.app)), ["token-2", "memory"])
      assert.strictEqual(issuer.sent, 2)
    }).pipe(Effect.scoped, Effect.provide(Servers.layer)))
})

describe("a server that was stopped", () => {
  it.effect("does not hand out a token that ended or was replaced meanwhile", () =>
    Effect.gen(function*() {
      const issuer = yield* Servers.setUp({ overlap_ms: 60_000 })
      const stopped = yield* Servers.open(issuer)
      const other = yield* Servers.open(issuer)
      yield* stopped.get(Servers.app)
      yield* other.flush(Servers.app)
      yield* TestClock.adjust("60 seconds")
      assert.isUndefined(stopped.peekUnsafe("wx", "app", undefined, yield* Instant.now))
      assert.deepStrictEqual(shown(yield* stopped.get(Servers.app))[0], "token-2")
      yield* TestClock.adjust(issuer.life)
      assert.deepStrictEqual(shown(yield* stopped.get(Servers.app))[0], "token-3")
      assert.strictEqual(issuer.sent, 3)
    }).pipe(Effect.scoped, Effect.provide(Servers.layer)))
})

describe("a secret that was removed", () => {
  it.effect("is gone from every server within ten seconds", () =>
    Effect.gen(function*() {
      const issuer = yield* Servers.setUp({})
      const server = yield* Servers.open(issuer)
      yield* server.get(Servers.app)
      yield* Effect.flatMap(SecretStore, ({ remove }) => remove("wx", "app"))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* Effect.flip(server.get(Servers.app)))._tag, "NotFound")
    }).pipe(Effect.scoped, Effect.provide(Servers.layer)))

  it.effect("does not come back into memory when a token of it was under way", () =>
    Effect.gen(function*() {
      const issuer = yield* Servers.setUp({})
      const server = yield* Servers.open(issuer)
      const gate = new Servers.Gate()
      issuer.onAnswer = gate.stop
      const waiting = yield* Effect.forkChild(server.get(Servers.app))
      yield* gate.arrival
      yield* server.forget("wx", undefined)
      yield* gate.open
      yield* Fiber.await(waiting)
      assert.isUndefined(server.peekUnsafe("wx", "app", undefined, yield* Instant.now))
    }).pipe(Effect.scoped, Effect.provide(Servers.layer)))
})
