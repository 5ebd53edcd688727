import { StoreFailed } from "@effect-identity/token-server/internal/Failure"
import { Database } from "@effect-identity/token-server/internal/store/Database"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Layer } from "effect"
import { layer, layerPlace, Place } from "../Database.ts"

describe("Database", () => {
  it.live("keeps what a transaction did, and nothing of one that failed", () =>
    Effect.gen(function*() {
      const { run, sql, transaction } = yield* Database
      const add = (id: string) =>
        sql`INSERT INTO realms ${
          sql.insert({ id, comment: "", config: "{}", version: 1, created_at: 2 ** 52, updated_at: 1 })
        }`
      yield* transaction(add("kept"))
      yield* Effect.flip(transaction(Effect.andThen(add("lost"), Effect.fail("no"))))
      const rows = yield* run(sql`SELECT id, version, created_at FROM realms`)
      assert.deepStrictEqual(rows.map(Object.entries), [[["id", "kept"], ["version", 1], ["created_at", 2 ** 52]]])
    }).pipe(Effect.provide(layer)))

  it.live("tells the time of the database in milliseconds", () =>
    Effect.gen(function*() {
      const { now } = yield* Database
      const before = yield* Clock.currentTimeMillis
      const told = yield* now
      const after = yield* Clock.currentTimeMillis
      assert.isAtLeast(told, before - 1000)
      assert.isAtMost(told, after + 1000)
      assert.isTrue(Number.isInteger(told))
    }).pipe(Effect.provide(layer)))

  it.live("is brought to its schema by one of many that start at once", () =>
    Effect.gen(function*() {
      const { open } = yield* Place
      const count = Effect.flatMap(
        Database,
        ({ run, sql }) => run(sql<{ n: number }>`SELECT count(*) AS n FROM realms`)
      )
      const counts = yield* Effect.all(Array.from({ length: 8 }, () => Effect.provide(count, open)), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(counts.map(([row]) => row?.n), [0, 0, 0, 0, 0, 0, 0, 0])
    }).pipe(Effect.provide(layerPlace)))

  it.live("is refused when its schema is newer", () =>
    Effect.gen(function*() {
      const { open } = yield* Place
      yield* Effect.provide(
        Effect.flatMap(Database, ({ run, sql }) =>
          run(sql`INSERT INTO migrations ${sql.insert({ migration_id: 1000, name: "later" })}`)),
        open
      )
      const failure = yield* Effect.flip(Layer.build(open))
      assert.deepStrictEqual(failure, new StoreFailed({ detail: "schema" }))
    }).pipe(Effect.scoped, Effect.provide(layerPlace)))
})
