/**
 * What is handed out while nobody can say which token is the one in use: somebody died who asked for another one, or the
 * database does not answer.
 */
import { Instant } from "@effect-identity/oauth"
import { StoreFailed } from "@effect-identity/token-server/internal/Failure"
import { Database } from "@effect-identity/token-server/internal/store/Database"
import type { HandedOut } from "@effect-identity/token-server/internal/tokens/Tokens"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { TestClock } from "effect/testing"
import * as Servers from "./Servers.ts"

const shown = ({ source, value }: HandedOut) => [Redacted.value(value), source] as const

const overlap = 20_000

/** A server that has a token, which another one asked for a successor of just now, and died: nobody holds that. */
const bereaved = Effect.gen(function*() {
  const issuer = yield* Servers.setUp({ overlap_ms: overlap })
  const dying = yield* Servers.open(issuer)
  const server = yield* Servers.open(issuer)
  yield* dying.get(Servers.app)
  yield* server.get(Servers.app)
  issuer.onAnswer = Effect.never
  issuer.isPunctual = false
  yield* Effect.forkChild(dying.flush(Servers.app))
  yield* Servers.until(() => issuer.issued.length === 2)
  issuer.onAnswer = Effect.void
  return { issuer, server, since: issuer.issued[1]?.at ?? 0 }
})

describe("a token that may have ended because somebody asked for another one and died", () => {
  it.effect("is replaced before it is of no use", () =>
    Effect.gen(function*() {
      const { issuer, server, since } = yield* bereaved
      for (let asked = 0; asked < 200; asked++) {
        const answer = yield* Servers.inTime(server.get(Servers.app))
        const { wall } = yield* Instant.now
        // Whoever gets it may take half of the overlap to use it.
        if (Redacted.value(answer.value) === "token-1") assert.isBelow(wall, since + overlap / 2)
        yield* TestClock.adjust("100 millis")
      }
      assert.strictEqual(issuer.sent, 3)
      assert.strictEqual(Redacted.value((yield* server.get(Servers.app)).value), "token-3")
    }).pipe(Effect.scoped, Effect.provide(Servers.layer)))

  it.effect("is handed out while the upstream fails for as long as whoever gets it has half of the overlap left", () =>
    Effect.gen(function*() {
      const { issuer, server, since } = yield* bereaved
      issuer.failures.push(...Array.from({ length: 500 }, () => Servers.refused(true)))
      const told = new Map<string, Array<number>>()
      for (let asked = 0; asked < 200; asked++) {
        const outcome = yield* Effect.match(Servers.inTime(server.get(Servers.app)), {
          onSuccess: ({ value }) => Redacted.value(value),
          onFailure: (error) => error.message
        })
        const after = (yield* Instant.now).wall - since
        told.set(outcome, [...told.get(outcome) ?? [], after])
        yield* TestClock.adjust("100 millis")
      }
      assert.deepStrictEqual([...told.keys()], ["token-1", "upstream: refused (40001) (HTTP 400)"])
      const [served = [], failed = []] = told.values()
      // Longer than a token is that may have been replaced unseen, which is a quarter.
      assert.isAbove(Math.max(...served), 9000)
      assert.isBelow(Math.max(...served), 10_000)
      assert.isAbove(Math.min(...failed), Math.max(...served))
    }).pipe(Effect.scoped, Effect.provide(Servers.layer)))
})

describe("a database that is too slow to be asked", () => {
  it.effect("leaves a token in use for half of the overlap: others may have replaced it", () =>
    Effect.gen(function*() {
      const issuer = yield* Servers.setUp({ overlap_ms: 60_000 })
      const trouble = new Servers.Trouble()
      const server = yield* Servers.open(issuer, trouble)
      yield* server.get(Servers.app)
      trouble.kind = "busy"
      for (const age of [6, 12, 18, 24, 29]) {
        yield* TestClock.setTime(1_800_000_000_000 + age * 1000)
        assert.deepStrictEqual(shown(yield* server.get(Servers.app)), ["token-1", "memory"], `after ${age} s`)
      }
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* Effect.flip(server.get(Servers.app)), new StoreFailed({ detail: "busy" }))
      trouble.kind = "none"
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(shown(yield* server.get(Servers.app))[0], "token-1")
      assert.strictEqual(issuer.sent, 1)
    }).pipe(Effect.scoped, Effect.provide(Servers.layer)))
})

describe("a database that is gone", () => {
  it.effect("leaves valid tokens in use, and is asked again when it is back", () =>
    Effect.gen(function*() {
      const issuer = yield* Servers.setUp({ overlap_ms: 60_000 })
      yield* Servers.saveSecret("wx", "cold", "s1")
      const trouble = new Servers.Trouble()
      const server = yield* Servers.open(issuer, trouble)
      const other = yield* Servers.open(issuer)
      yield* server.get(Servers.app)
      trouble.kind = "down"
      for (let asked = 0; asked < 20; asked++) {
        yield* TestClock.adjust("20 seconds")
        assert.deepStrictEqual(shown(yield* server.get(Servers.app)), ["token-1", "memory"])
      }
      const cold = yield* Effect.flip(server.get({ ...Servers.app, key: "cold" }))
      assert.deepStrictEqual(cold, new StoreFailed({ detail: "unavailable" }))
      yield* other.flush(Servers.app)
      trouble.kind = "none"
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(shown(yield* server.get(Servers.app))[0], "token-2")
      assert.strictEqual(shown(yield* server.get({ ...Servers.app, key: "cold" }))[1], "upstream")
    }).pipe(Effect.scoped, Effect.provide(Servers.layer)))

  it.effect("leaves a token that others may have replaced by now to nobody", () =>
    Effect.gen(function*() {
      const issuer = yield* Servers.setUp({ overlap_ms: 60_000 })
      const trouble = new Servers.Trouble()
      const server = yield* Servers.open(issuer, trouble)
      yield* server.get(Servers.app)
      trouble.kind = "down"
      yield* TestClock.adjust(issuer.life * 0.74)
      assert.deepStrictEqual(shown(yield* server.get(Servers.app)), ["token-1", "memory"])
      yield* TestClock.adjust(issuer.life * 0.02)
      assert.deepStrictEqual(yield* Effect.flip(server.get(Servers.app)), new StoreFailed({ detail: "unavailable" }))
    }).pipe(Effect.scoped, Effect.provide(Servers.layer)))

  it.effect("and was restored from before brings back neither an older token nor one that ended", () =>
    Effect.gen(function*() {
      const issuer = yield* Servers.setUp({})
      const server = yield* Servers.open(issuer)
      const { run, sql } = yield* Database
      yield* server.get(Servers.app)
      const [old] = yield* run(sql`SELECT * FROM tokens`)
      yield* server.flush(Servers.app)
      yield* run(sql`DELETE FROM tokens`)
      yield* run(sql`INSERT INTO tokens ${sql.insert({ ...old })}`)
      yield* TestClock.adjust("11 seconds")
      assert.strictEqual(shown(yield* server.get(Servers.app))[0], "token-2")
      yield* TestClock.adjust(issuer.life)
      const fresh = yield* Servers.open(issuer)
      // The server that noticed may be on its way to the issuer, and hold the claim.
      const answer = yield* Servers.inTime(fresh.get(Servers.app))
      assert.notStrictEqual(shown(answer)[0], "token-1")
      assert.isAbove(answer.expiresIn, 0)
    }).pipe(Effect.scoped, Effect.provide(Servers.layer)))
})
