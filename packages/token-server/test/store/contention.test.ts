import { StoreFailed } from "@effect-identity/token-server/internal/Failure"
import { Database } from "@effect-identity/token-server/internal/store/Database"
import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { isPostgres, layerPlace, Place } from "../Database.ts"

/** So many servers on one database. */
const servers = (count: number) =>
  Effect.flatMap(
    Place,
    ({ open }) =>
      Effect.forEach(Array.from({ length: count }), () =>
        Effect.map(Layer.build(open), (context) => Context.get(context, Database)))
  )

const count = ({ sql }: Database["Service"], id: string) =>
  sql`UPDATE realms SET version = version + 1 WHERE id = ${id}`

const prepare = ({ run, sql }: Database["Service"]) =>
  Effect.forEach(
    ["a", "b"],
    (id) =>
      run(
        sql`INSERT INTO realms (id, comment, config, version, created_at, updated_at) VALUES (${id}, '', '{}', 0, 0, 0)`
      )
  )

const versions = ({ run, sql }: Database["Service"]) =>
  Effect.map(
    run(sql<{ version: number }>`SELECT version FROM realms ORDER BY id`),
    (rows) => rows.map(({ version }) => version)
  )

describe("a database that is wanted by many", () => {
  it.live("loses no write of servers that write the same row", () =>
    Effect.gen(function*() {
      const all = yield* servers(3)
      const [first] = all
      if (first === undefined) return assert.fail("there are servers")
      yield* prepare(first)
      yield* Effect.forEach(
        Array.from({ length: 60 }, (_, n) => all[n % all.length] ?? first),
        (server) =>
          server.transaction(Effect.gen(function*() {
            yield* count(server, "a")
            yield* count(server, "b")
          })),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(yield* versions(first), [60, 60])
    }).pipe(Effect.scoped, Effect.provide(layerPlace)))

  it.live("runs a transaction again that ended another one's deadlock", () =>
    Effect.gen(function*() {
      const [one, other] = yield* servers(2)
      if (one === undefined || other === undefined) return assert.fail("there are servers")
      yield* prepare(one)
      const bothHold = yield* Deferred.make<void>()
      let holding = 0
      let attempts = 0
      const write = (server: Database["Service"], [first, second]: readonly [string, string]) =>
        server.transaction(Effect.gen(function*() {
          attempts++
          yield* count(server, first)
          if (++holding === 2) yield* Deferred.succeed(bothHold, undefined)
          // SQLite lets the other one begin only when this one is over.
          if (isPostgres) yield* Deferred.await(bothHold)
          yield* count(server, second)
        }))
      yield* Effect.all([write(one, ["a", "b"]), write(other, ["b", "a"])], { concurrency: 2 })
      assert.deepStrictEqual(yield* versions(one), [2, 2])
      if (isPostgres) assert.isAtLeast(attempts, 3)
    }).pipe(Effect.scoped, Effect.provide(layerPlace)))

  it.effect("is given up after five seconds while another server holds the row", () =>
    Effect.gen(function*() {
      const [one, other] = yield* servers(2)
      if (one === undefined || other === undefined) return assert.fail("there are servers")
      yield* prepare(one)
      const [held, free] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      // Without the limit that the server sets itself.
      const holder = yield* Effect.forkChild(one.sql.withTransaction(Effect.gen(function*() {
        yield* count(one, "a")
        yield* Deferred.succeed(held, undefined)
        yield* Deferred.await(free)
      })))
      yield* Deferred.await(held)
      const waiting = yield* Effect.forkChild(Effect.flip(other.run(count(other, "a"))), { startImmediately: true })
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(yield* Fiber.join(waiting), new StoreFailed({ detail: "busy" }))
      assert.deepStrictEqual(yield* versions(other), [0, 0])
      yield* Deferred.succeed(free, undefined)
      yield* Fiber.join(holder)
      assert.deepStrictEqual(yield* versions(one), [1, 0])
    }).pipe(Effect.scoped, Effect.provide(layerPlace)))
})
