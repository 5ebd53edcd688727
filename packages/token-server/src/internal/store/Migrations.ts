/**
 * Brings a database to the schema of this version, in one transaction: interrupted, nothing of it happened.
 */
import * as Effect from "effect/Effect"
import * as Migrator from "effect/sql/Migrator"
import * as SqlClient from "effect/sql/SqlClient"
import { SqlError } from "effect/sql/SqlError"
import { StoreFailed } from "../Failure.ts"
import { tables } from "./migrations/Tables.ts"

const table = "migrations"

const all = { "1_tables": tables }

const latest = Object.keys(all).length

/** Two at once are one after the other: PostgreSQL locks the table of migrations, SQLite has one writer. */
export const run = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  yield* Migrator.make({})({ loader: Migrator.fromRecord(all), table }).pipe(
    Effect.catchTag("MigrationError", (error) => {
      const { cause } = error
      return Effect.fail(cause instanceof SqlError ? cause : new StoreFailed({ detail: "schema" }))
    })
  )
  const [found] = yield* sql<{ id: number }>`SELECT max(migration_id) AS id FROM ${sql(table)}`
  if (found === undefined || found.id > latest) return yield* new StoreFailed({ detail: "schema" })
})
