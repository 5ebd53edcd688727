/**
 * What keeps a token from being fetched twice, and a good one from being ended by a server that was stopped.
 */
import { StoreFailed } from "@effect-identity/token-server/internal/Failure"
import { SecretStore } from "@effect-identity/token-server/internal/store/SecretStore"
import type { HandedOut } from "@effect-identity/token-server/internal/tokens/Tokens"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Redacted } from "effect"
import { TestClock } from "effect/testing"
import * as Servers from "./Servers.ts"

const killing = { overlap_ms: 60_000 }

const shown = ({ persisted, source, value }: HandedOut) => [Redacted.value(value), source, persisted] as const

/** Longer than the lease of these realms. */
const pastLease = TestClock.adjust("2 seconds")

describe("a server that fetches", () => {
  it.effect("reads again once it has the claim", () =>
    Effect.gen(function*() {
      const issuer = yield* Servers.setUp({})
      const trouble = new Servers.Trouble()
      const late = yield* Servers.open(issuer, trouble)
      const quick = yield* Servers.open(issuer)
      trouble.beforeClaim = Effect.ignore(quick.get(Servers.app))
      assert.deepStrictEqual(shown(yield* late.get(Servers.app)), ["token-1", "database", true])
      assert.strictEqual(issuer.sent, 1)
    }).pipe(Effect.scoped, Effect.provide(Servers.layer)))

  it.effect("sends nothing when it was stopped and another one has fetched meanwhile", () =>
    Effect.gen(function*() {
      const issuer = yield* Servers.setUp(killing)
      issuer.isPunctual = false
      const gate = new Servers.Gate()
      const stopped = yield* Servers.open(issuer)
      const other = yield* Servers.open(issuer)
      issuer.onConnect = gate.stop
      const waiting = yield* Effect.forkChild(stopped.get(Servers.app))
      yield* gate.arrival
      issuer.onConnect = Effect.void
      yield* pastLease
      assert.deepStrictEqual(shown(yield* other.get(Servers.app)), ["token-1", "upstream", true])
      yield* gate.open
      yield* Servers.inTime(Servers.until(() => waiting.pollUnsafe() !== undefined || issuer.sent > 1))
      assert.strictEqual(issuer.sent, 1)
      assert.strictEqual(shown(yield* Fiber.join(waiting))[0], "token-1")
    }).pipe(Effect.scoped, Effect.provide(Servers.layer)))

  it.effect("sends nothing when its claim ran out while it was stopped, although nobody else has claimed", () =>
    Effect.gen(function*() {
      const issuer = yield* Servers.setUp(killing)
      issuer.isPunctual = false
      const gate = new Servers.Gate()
      const server = yield* Servers.open(issuer)
      issuer.onConnect = gate.stop
      const waiting = yield* Effect.forkChild(server.get(Servers.app))
      yield* gate.arrival
      const second = new Servers.Gate()
      issuer.onConnect = second.stop
      yield* pastLease
      yield* gate.open
      yield* Servers.inTime(Servers.until(() => second.reached > 0 || issuer.sent > 0))
      assert.strictEqual(issuer.sent, 0)
      yield* second.open
      assert.deepStrictEqual(shown(yield* Fiber.join(waiting)), ["token-1", "upstream", true])
    }).pipe(Effect.scoped, Effect.provide(Servers.layer)))

  it.effect("sends nothing when the confirmation was as long on its way as the request may take", () =>
    Effect.gen(function*() {
      const issuer = yield* Servers.setUp(killing)
      issuer.isPunctual = false
      const trouble = new Servers.Trouble()
      const server = yield* Servers.open(issuer, trouble)
      const gate = new Servers.Gate()
      trouble.afterConfirm = gate.stop
      const waiting = yield* Effect.forkChild(server.get(Servers.app))
      yield* gate.arrival
      trouble.afterConfirm = Effect.void
      const second = new Servers.Gate()
      issuer.onConnect = second.stop
      yield* TestClock.adjust("1 second")
      yield* gate.open
      yield* Servers.inTime(Servers.until(() => issuer.sent > 0 || second.reached > 0))
      assert.strictEqual(issuer.sent, 0)
      yield* Fiber.interrupt(waiting)
    }).pipe(Effect.scoped, Effect.provide(Servers.layer)))

  it.effect("does not store over a token that was sent for after its own, and has it replaced when its answer was late", () =>
    Effect.gen(function*() {
      const issuer = yield* Servers.setUp(killing)
      issuer.isPunctual = false
      const gate = new Servers.Gate()
      const stopped = yield* Servers.open(issuer)
      const other = yield* Servers.open(issuer)
      issuer.onAnswer = gate.stop
      const waiting = yield* Effect.forkChild(stopped.get(Servers.app))
      yield* gate.arrival
      issuer.onAnswer = Effect.void
      yield* TestClock.adjust("20 seconds")
      assert.deepStrictEqual(shown(yield* other.get(Servers.app)), ["token-2", "upstream", true])
      yield* gate.open
      yield* Servers.inTime(Servers.until(() => issuer.sent === 3))
      // The token of the other one may have been ended by the late request, or not.
      assert.deepStrictEqual(shown(yield* Fiber.join(waiting)), ["token-3", "upstream", true])
      yield* TestClock.adjust("6 seconds")
      assert.deepStrictEqual(shown(yield* other.get(Servers.app))[0], "token-3")
      assert.strictEqual(issuer.sent, 3)
    }).pipe(Effect.scoped, Effect.provide(Servers.layer)))

  it.effect("takes the token of the other one where tokens do not end each other", () =>
    Effect.gen(function*() {
      const issuer = yield* Servers.setUp({})
      issuer.isPunctual = false
      const gate = new Servers.Gate()
      const stopped = yield* Servers.open(issuer)
      const other = yield* Servers.open(issuer)
      issuer.onAnswer = gate.stop
      const waiting = yield* Effect.forkChild(stopped.get(Servers.app))
      yield* gate.arrival
      issuer.onAnswer = Effect.void
      yield* pastLease
      yield* other.get(Servers.app)
      yield* gate.open
      yield* Servers.inTime(Servers.until(() => waiting.pollUnsafe() !== undefined))
      assert.deepStrictEqual(shown(yield* Fiber.join(waiting)), ["token-2", "database", true])
      assert.strictEqual(issuer.sent, 2)
    }).pipe(Effect.scoped, Effect.provide(Servers.layer)))

  it.effect("does not give back a claim that is another one's by now", () =>
    Effect.gen(function*() {
      const issuer = yield* Servers.setUp(killing)
      issuer.isPunctual = false
      const atConnect = new Servers.Gate()
      const atIssue = new Servers.Gate()
      const stopped = yield* Servers.open(issuer)
      const other = yield* Servers.open(issuer)
      const third = yield* Servers.open(issuer)
      issuer.onConnect = atConnect.stop
      const first = yield* Effect.forkChild(stopped.get(Servers.app))
      yield* atConnect.arrival
      issuer.onConnect = Effect.void
      issuer.onIssue = atIssue.stop
      yield* pastLease
      const second = yield* Effect.forkChild(other.get(Servers.app))
      yield* atIssue.arrival
      // It goes on, finds that it is too late, and must leave the claim of the other one alone.
      yield* atConnect.open
      yield* Servers.settled
      const last = yield* Effect.forkChild(third.get(Servers.app))
      yield* Servers.settled
      assert.strictEqual(issuer.sent, 1)
      yield* atIssue.open
      assert.deepStrictEqual(shown(yield* Fiber.join(second)), ["token-1", "upstream", true])
      yield* TestClock.adjust("1 second")
      assert.strictEqual(shown(yield* Fiber.join(first))[0], "token-1")
      assert.strictEqual(shown(yield* Fiber.join(last))[0], "token-1")
      assert.strictEqual(issuer.sent, 1)
    }).pipe(Effect.scoped, Effect.provide(Servers.layer)))
})

describe("a secret that changes while a token is fetched with it", () => {
  it.effect("is kept, and the token is fetched with the new one", () =>
    Effect.gen(function*() {
      const issuer = yield* Servers.setUp(killing)
      const gate = new Servers.Gate()
      const server = yield* Servers.open(issuer)
      const other = yield* Servers.open(issuer)
      issuer.onAnswer = gate.stop
      const waiting = yield* Effect.forkChild(server.get(Servers.app))
      yield* gate.arrival
      issuer.onAnswer = Effect.void
      yield* Servers.saveSecret("wx", "app", "s2")
      yield* gate.open
      yield* Servers.inTime(Servers.until(() => issuer.sent === 2))
      assert.deepStrictEqual(shown(yield* Fiber.join(waiting)), ["token-2", "upstream", true])
      assert.deepStrictEqual(issuer.issued.map(({ secret }) => secret), ["s1", "s2"])
      assert.deepStrictEqual(shown(yield* other.get(Servers.app)), ["token-2", "database", true])
    }).pipe(Effect.scoped, Effect.provide(Servers.layer)))

  it.effect("takes the token with it when it is removed, also when it comes back", () =>
    Effect.gen(function*() {
      const issuer = yield* Servers.setUp(killing)
      const gate = new Servers.Gate()
      const server = yield* Servers.open(issuer)
      issuer.onAnswer = gate.stop
      const waiting = yield* Effect.forkChild(Effect.flip(server.get(Servers.app)))
      yield* gate.arrival
      issuer.onAnswer = Effect.void
      yield* Effect.flatMap(SecretStore, ({ remove }) => remove("wx", "app"))
      yield* gate.open
      const told = yield* Servers.inTime(Fiber.join(waiting))
      assert.strictEqual(told._tag, "NotFound")
      yield* Servers.saveSecret("wx", "app", "s2")
      assert.deepStrictEqual(shown(yield* server.get(Servers.app)), ["token-2", "upstream", true])
      assert.strictEqual(issuer.issued.at(-1)?.secret, "s2")
    }).pipe(Effect.scoped, Effect.provide(Servers.layer)))
})

describe("a database that takes nothing", () => {
  it.effect("costs nobody the token that was fetched, and gets it later", () =>
    Effect.gen(function*() {
      const issuer = yield* Servers.setUp(killing)
      const trouble = new Servers.Trouble()
      const server = yield* Servers.open(issuer, trouble)
      const other = yield* Servers.open(issuer)
      issuer.onAnswer = Effect.sync(() => {
        trouble.kind = "full"
      })
      assert.deepStrictEqual(shown(yield* server.get(Servers.app)), ["token-1", "upstream", false])
      assert.deepStrictEqual(shown(yield* server.get(Servers.app)), ["token-1", "memory", false])
      trouble.kind = "none"
      yield* TestClock.adjust("3 seconds")
      yield* server.get(Servers.app)
      yield* Servers.settled
      assert.deepStrictEqual(shown(yield* server.get(Servers.app)), ["token-1", "memory", true])
      assert.deepStrictEqual(shown(yield* other.get(Servers.app)), ["token-1", "database", true])
      assert.strictEqual(issuer.sent, 1)
    }).pipe(Effect.scoped, Effect.provide(Servers.layer)))

  it.effect("is done without where tokens do not end each other", () =>
    Effect.gen(function*() {
      const issuer = yield* Servers.setUp({})
      const trouble = new Servers.Trouble()
      const server = yield* Servers.open(issuer, trouble)
      trouble.kind = "full"
      const answers = yield* Effect.all(Array.from({ length: 20 }, () => server.get(Servers.app)), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(answers.map(shown), answers.map(() => ["token-1", "upstream", false] as const))
      assert.strictEqual(issuer.sent, 1)
      trouble.kind = "none"
      yield* TestClock.adjust("6 seconds")
      yield* server.get(Servers.app)
      yield* Servers.settled
      assert.deepStrictEqual(shown(yield* server.get(Servers.app)), ["token-1", "memory", true])
    }).pipe(Effect.scoped, Effect.provide(Servers.layer)))

  it.effect("fails those who ask where tokens end each other", () =>
    Effect.gen(function*() {
      const issuer = yield* Servers.setUp(killing)
      const trouble = new Servers.Trouble()
      const server = yield* Servers.open(issuer, trouble)
      trouble.kind = "full"
      assert.deepStrictEqual(yield* Effect.flip(server.get(Servers.app)), new StoreFailed({ detail: "full" }))
      assert.strictEqual(issuer.sent, 0)
    }).pipe(Effect.scoped, Effect.provide(Servers.layer)))
})
