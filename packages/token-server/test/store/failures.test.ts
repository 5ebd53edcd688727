import { StoreFailed } from "@effect-identity/token-server/internal/Failure"
import * as Database from "@effect-identity/token-server/internal/store/Database"
import * as RealmStore from "@effect-identity/token-server/internal/store/RealmStore"
import * as TokenStore from "@effect-identity/token-server/internal/store/TokenStore"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { TestClock } from "effect/testing"
import { join } from "node:path"
import { isPostgres, layer as layerDatabase, layerPlace, Place } from "../Database.ts"
import { opened, save, secrets } from "./Stores.ts"

const failed = (detail: StoreFailed["detail"]) => new StoreFailed({ detail })

const realm = (id: string, comment = "") =>
  RealmStore.RealmStore.use((store) => store.save({ id, comment, config: {}, version: undefined }))

const layer = Layer.mergeAll(RealmStore.layer, TokenStore.layer).pipe(
  Layer.provideMerge(secrets()),
  Layer.provideMerge(layerDatabase)
)

/** From here on the database takes nothing that needs room. */
const close = Database.Database.use(({ run, sql }) =>
  run(isPostgres ? sql`SET default_transaction_read_only = on` : sql`PRAGMA max_page_count = 1`)
)

const large = "x".repeat(1_000_000)

describe("a database that fails", () => {
  it.live("is named when it cannot be reached, without its address or password", () =>
    Effect.gen(function*() {
      const { address } = yield* Place
      const broken = isPostgres
        ? Database.layerPostgres(Redacted.make("postgres://user:a-password-of-the-store@127.0.0.1:1/tokens"))
        : Database.layerSqlite(join(address, "not-a-folder", "tokens.db"))
      const failure = yield* Effect.flip(Layer.build(broken))
      assert.deepStrictEqual(failure, failed("unavailable"))
    }).pipe(Effect.scoped, Effect.provide(layerPlace)))

  it.effect("is waited for five seconds when all its connections are in use", () =>
    Effect.gen(function*() {
      const { run, sql } = yield* Database.Database
      const connections = isPostgres ? 10 : 1
      const end = yield* Deferred.make<void>()
      const held = yield* Effect.forEach(Array.from({ length: connections }), () => Deferred.make<void>())
      const holders = yield* Effect.forEach(held, (mine) =>
        Effect.forkChild(
          sql.withTransaction(
            Effect.andThen(sql`SELECT 1`, Effect.andThen(Deferred.succeed(mine, undefined), Deferred.await(end)))
          )
        ))
      yield* Effect.forEach(held, Deferred.await)
      const waiting = yield* Effect.forkChild(Effect.flip(run(sql`SELECT 1`)), { startImmediately: true })
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(yield* Fiber.join(waiting), failed("busy"))
      yield* Deferred.succeed(end, undefined)
      yield* Effect.forEach(holders, Fiber.join)
    }).pipe(Effect.provide(layerDatabase)))

  it.live("refuses what it has no room for, keeps what it has, and still reads", () =>
    Effect.gen(function*() {
      const tokens = yield* TokenStore.TokenStore
      yield* realm("corp")
      yield* save("corp", "k", { key_1: "value" })
      const { secret } = yield* tokens.read({ realm: "corp", key: "k" })
      const claim = yield* tokens.claim({ realm: "corp", key: "k" }, { tag: "t", secret, leaseMillis: 60_000 })
      if (claim === undefined) return assert.fail("nobody else claims it")
      yield* close
      assert.deepStrictEqual(yield* Effect.flip(realm("corp", large)), failed("full"))
      assert.deepStrictEqual(yield* Effect.flip(save("corp", "k", { key_1: large })), failed("full"))
      const token = { value: Redacted.make(large), sentAt: claim.at, expiresAt: claim.at + 1, lifetime: 1 }
      assert.deepStrictEqual(yield* Effect.flip(tokens.store(claim, token)), failed("full"))
      assert.deepStrictEqual(yield* opened("corp", "k"), { key_1: "value" })
      const row = yield* (yield* RealmStore.RealmStore).row("corp")
      assert.deepStrictEqual([row.comment, row.version], ["", 1])
    }).pipe(Effect.provide(layer)))

  it.live("has nothing of a migration that stopped half way, which then runs anew", () =>
    Effect.gen(function*() {
      const { bare, open } = yield* Place
      // In the way of one of the last statements.
      yield* Effect.provide(SqlClient.SqlClient.use((sql) => sql`CREATE TABLE audit (id INTEGER)`), bare)
      assert.deepStrictEqual(yield* Effect.flip(Effect.scoped(Layer.build(open))), failed("schema"))
      yield* Effect.provide(
        SqlClient.SqlClient.use((sql) =>
          Effect.gen(function*() {
            assert.strictEqual((yield* Effect.flip(sql`SELECT id FROM realms`))._tag, "SqlError")
            yield* sql`DROP TABLE audit`
          })
        ),
        bare
      )
      yield* Effect.provide(Database.Database.use(({ run, sql }) => run(sql`SELECT at FROM audit`)), open)
    }).pipe(Effect.provide(layerPlace)))

  it.live("gives no token back that a backup brought in and that was got with a secret of before", () =>
    Effect.gen(function*() {
      const { run, sql } = yield* Database.Database
      const tokens = yield* TokenStore.TokenStore
      const place = { realm: "corp", key: "k" }
      yield* realm("corp")
      yield* save("corp", "k", { key_1: "before" })
      const { secret } = yield* tokens.read(place)
      const claim = yield* tokens.claim(place, { tag: "t", secret, leaseMillis: 60_000 })
      if (claim === undefined) return assert.fail("nobody else claims it")
      const token = { value: Redacted.make("old"), sentAt: claim.at, expiresAt: claim.at + 60_000, lifetime: 60_000 }
      assert.isTrue(yield* tokens.store(claim, token))
      assert.isDefined((yield* tokens.read(place)).token)
      yield* run(sql`CREATE TABLE backup AS SELECT * FROM tokens`)
      yield* save("corp", "k", { key_1: "after" })
      yield* run(sql`DELETE FROM tokens`)
      yield* run(sql`INSERT INTO tokens SELECT * FROM backup`)
      const reading = yield* tokens.read(place)
      assert.isUndefined(reading.token)
      assert.isFalse(yield* tokens.store(claim, { ...token, sentAt: claim.at + 1 }))
    }).pipe(Effect.provide(layer)))
})
