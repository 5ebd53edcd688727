/**
 * A database of its own for every use of `layer`: a file of SQLite, or a schema of the PostgreSQL that
 * `TOKEN_SERVER_TEST_DATABASE_URL` names.
 */
import type { StoreFailed } from "@effect-identity/token-server/internal/Failure"
import * as Database from "@effect-identity/token-server/internal/store/Database"
import * as NodeSqlite from "@effect-identity/token-server/internal/store/NodeSqlite"
import * as Postgres from "@effect-identity/token-server/internal/store/Postgres"
import { PgClient } from "@effect/sql-pg"
import { Context, Effect, Layer, Redacted } from "effect"
import { Reactivity } from "effect/reactivity"
import type { SqlClient, SqlError } from "effect/sql"
import { randomUUID } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const server = process.env["TOKEN_SERVER_TEST_DATABASE_URL"]

export const isPostgres = server !== undefined

/** A database of which a test opens as many connections, or servers, as it wants. */
export class Place extends Context.Service<Place, {
  readonly open: Layer.Layer<Database.Database, StoreFailed>
  /** The database as it is, without the tables of this version. */
  readonly bare: Layer.Layer<SqlClient.SqlClient, SqlError.SqlError>
  /** The file of SQLite, or the URL of PostgreSQL. */
  readonly address: string
}>()("@effect-identity/token-server/test/Database/Place") {}

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "token-server-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

const file = Effect.map(folder, (path) => {
  const address = join(path, "tokens.db")
  return Place.of({
    address,
    open: Layer.fresh(Database.layerSqlite(address)),
    bare: Layer.fresh(NodeSqlite.layer(address))
  })
})

const schema = Effect.fnUntraced(function*(url: string) {
  const name = `t${randomUUID().replaceAll("-", "")}`
  const admin = yield* PgClient.make({ url: Redacted.make(url), maxConnections: 1 })
  yield* admin`CREATE SCHEMA ${admin(name)}`
  yield* Effect.addFinalizer(() => Effect.ignore(admin`DROP SCHEMA ${admin(name)} CASCADE`))
  const own = new URL(url)
  own.searchParams.set("options", `-c search_path=${name}`)
  const address = Redacted.make(own.href)
  return Place.of({
    address: own.href,
    open: Layer.fresh(Database.layerPostgres(address)),
    bare: Layer.fresh(Postgres.layer(address))
  })
})

export const layerPlace: Layer.Layer<Place> = server === undefined
  ? Layer.effect(Place, file)
  : Layer.effect(Place, schema(server)).pipe(Layer.provide(Reactivity.layer), Layer.orDie)

/** The one connection, or pool, that most tests need. */
export const layer: Layer.Layer<Database.Database | Place> = Layer.unwrap(
  Effect.map(Place, ({ open }) => Layer.orDie(open))
).pipe(Layer.provideMerge(layerPlace))
