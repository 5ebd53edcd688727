import { SecretSweep } from "@effect-identity/testing"
import * as NodeSqlite from "@effect-identity/token-server/internal/store/NodeSqlite"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import { SqlClient } from "effect/sql"
import { mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "node-sqlite-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

const layer = Layer.unwrap(Effect.map(folder, (path) => NodeSqlite.layer(join(path, "db"))))

const table = SqlClient.SqlClient.use((sql) => sql`CREATE TABLE t (a TEXT UNIQUE, b BLOB, c REAL)`)

const names = SqlClient.SqlClient.use((sql) =>
  Effect.map(sql<{ a: string }>`SELECT a FROM t ORDER BY a`, (rows) => rows.map(({ a }) => a))
)

const add = (a: string) => SqlClient.SqlClient.use((sql) => sql`INSERT INTO t (a) VALUES (${a})`)

describe("SQLite in Node", () => {
  it.live("keeps its files to their owner, and writes them through", () =>
    Effect.gen(function*() {
      const file = join(yield* folder, "db")
      yield* Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        yield* table
        for (const suffix of ["", "-wal", "-shm"]) assert.strictEqual(statSync(file + suffix).mode & 0o777, 0o600)
        assert.deepStrictEqual(Object.values((yield* sql`PRAGMA journal_mode`)[0] ?? {}), ["wal"])
        assert.deepStrictEqual(Object.values((yield* sql`PRAGMA synchronous`)[0] ?? {}), [2])
        assert.deepStrictEqual(Object.values((yield* sql`PRAGMA foreign_keys`)[0] ?? {}), [1])
      }).pipe(Effect.provide(NodeSqlite.layer(file)))
    }).pipe(Effect.scoped))

  it.live("undoes the part of a transaction that failed, and keeps the rest", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      yield* table
      yield* sql.withTransaction(Effect.gen(function*() {
        yield* add("first")
        yield* Effect.ignore(sql.withTransaction(Effect.andThen(add("undone"), Effect.fail("no"))))
        yield* sql.withTransaction(add("second"))
      }))
      assert.deepStrictEqual(yield* names, ["first", "second"])
    }).pipe(Effect.provide(layer)))

  it.live("runs one transaction after the other", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      yield* table
      const count = Effect.map(names, ({ length }) => length)
      const steps = yield* Effect.forEach(Array.from({ length: 20 }), (_, n) =>
        sql.withTransaction(Effect.gen(function*() {
          const before = yield* count
          yield* add(`${n}`)
          yield* Effect.yieldNow
          return (yield* count) - before
        })), { concurrency: "unbounded" })
      assert.deepStrictEqual([...new Set(steps)], [1])
    }).pipe(Effect.provide(layer)))

  it.live("gives back what was bound, as rows, values and a stream", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      yield* table
      const bytes = new Uint8Array([0, 255])
      yield* sql`INSERT INTO t (a, b, c) VALUES (${"x"}, ${bytes}, ${1.5}), (${"y"}, ${null}, ${2n}), (${"z"}, ${null}, ${true})`
      const select = sql`SELECT a, b, c FROM t ORDER BY c`
      assert.deepStrictEqual(yield* select.values, [["z", null, 1], ["x", bytes, 1.5], ["y", null, 2]])
      assert.strictEqual((yield* Stream.runCollect(select.stream)).length, 3)
      assert.deepStrictEqual(yield* select.unprepared.pipe(Effect.map((rows) => rows.length)), 3)
    }).pipe(Effect.provide(layer)))

  it.live("tells what went wrong by its number, and quotes no value", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      yield* table
      const secret = "a-value-of-a-row-77af21"
      yield* add(secret)
      const twice = yield* Effect.flip(add(secret))
      assert.strictEqual(twice.reason._tag, "UniqueViolation")
      const wrong = yield* Effect.flip(sql`SELECT ${secret} FROM nowhere`)
      const unbound = yield* Effect.flip(sql`SELECT ${{ secret }}`)
      const raw = yield* Effect.flip(sql.unsafe(`SELECT '${secret}' FRM t`))
      for (const failure of [twice, wrong, unbound, raw]) {
        assert.deepStrictEqual(SecretSweep.find(failure, { secret }), [])
      }
    }).pipe(Effect.provide(layer)))
})
