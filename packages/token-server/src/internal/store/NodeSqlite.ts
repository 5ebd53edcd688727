/**
 * `effect/sql` over `node:sqlite`: one connection, one statement or transaction at a time, in WAL mode.
 *
 * Statements run on the thread of the program, so a lock of another process is waited for only shortly here. Whoever asks
 * may ask again without holding up everything else.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Reactivity from "effect/reactivity/Reactivity"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as SqlClient from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import { classifySqliteError, SqlError, UnknownError } from "effect/sql/SqlError"
import * as Statement from "effect/sql/Statement"
import * as Stream from "effect/Stream"
import { closeSync, openSync } from "node:fs"
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite"

const busyMillis = 20

const rememberedStatements = 200

/** Of what SQLite says only the number of the failure is kept: its texts may quote values. */
const failed = (thrown: unknown): SqlError => {
  const code = Predicate.hasProperty(thrown, "errcode") && typeof thrown.errcode === "number"
    ? thrown.errcode
    : undefined
  return new SqlError({
    reason: code === undefined
      ? new UnknownError({ cause: undefined, message: "SQLite did not take a statement" })
      : classifySqliteError({ code }, { message: `SQLite failed (${code})` })
  })
}

const attempt = <A>(body: () => A): Effect.Effect<A, SqlError> => Effect.try({ try: body, catch: failed })

/** What SQLite can bind; it has no truth values. */
const bound = (value: unknown): SQLInputValue => {
  switch (typeof value) {
    case "string":
    case "number":
    case "bigint":
      return value
    case "boolean":
      return value ? 1 : 0
  }
  if (value === null || value instanceof Uint8Array) return value
  throw new TypeError("a value that SQLite has no type for")
}

const rows = (statement: (sql: string) => StatementSync) => (sql: string, params: ReadonlyArray<unknown>) =>
  attempt(() => statement(sql).all(...params.map(bound)))

const values = Effect.map((found: ReadonlyArray<object>) =>
  found.map((row): ReadonlyArray<unknown> => Object.values(row))
)

const connect = (database: DatabaseSync): Connection => {
  const statements = new Map<string, StatementSync>()

  const prepare = (sql: string) => {
    const known = statements.get(sql)
    if (known !== undefined) return known
    if (statements.size === rememberedStatements) statements.clear()
    const statement = database.prepare(sql)
    statements.set(sql, statement)
    return statement
  }

  const prepared = rows(prepare)
  const unprepared = rows((sql) => database.prepare(sql))

  const execute: Connection["execute"] = (sql, params, transform) =>
    transform === undefined ? prepared(sql, params) : Effect.map(prepared(sql, params), transform)
  return {
    execute,
    executeRaw: prepared,
    executeStream: (sql, params, transform) => Stream.fromIterableEffect(execute(sql, params, transform)),
    executeValues: (sql, params) => values(prepared(sql, params)),
    executeValuesUnprepared: (sql, params) => values(unprepared(sql, params)),
    executeUnprepared: (sql, params, transform) =>
      transform === undefined ? unprepared(sql, params) : Effect.map(unprepared(sql, params), transform)
  }
}

const open = (file: string) =>
  attempt(() => {
    // The files beside it get the permissions of this one.
    closeSync(openSync(file, "a", 0o600))
    const database = new DatabaseSync(file, { timeout: busyMillis, enableForeignKeyConstraints: true })
    try {
      database.exec("PRAGMA journal_mode = WAL")
      // What was acknowledged is still there after the power fails: a few milliseconds for writes that are rare.
      database.exec("PRAGMA synchronous = FULL")
    } catch (failure) {
      database.close()
      throw failure
    }
    return database
  })

/** Opens a file, which is made when there is none, until the scope closes. */
export const make = Effect.fnUntraced(
  function*(file: string): Effect.fn.Return<SqlClient.SqlClient, SqlError, Reactivity.Reactivity | Scope.Scope> {
    const database = yield* Effect.acquireRelease(open(file), (database) => Effect.sync(() => database.close()))
    const connection = connect(database)
    const acquirers = SqlClient.makeSqliteAcquirers({
      connection: Effect.succeed(connection),
      semaphore: yield* Semaphore.make(1),
      isTransaction: () => database.isTransaction
    })
    return yield* SqlClient.make({
      ...acquirers,
      compiler: Statement.makeCompilerSqlite(),
      driver: "node-sqlite",
      spanAttributes: [["db.system.name", "sqlite"]],
      prepareTransactionControls: true,
      // A transaction that first reads and then writes could otherwise fail in its middle.
      beginTransaction: "BEGIN IMMEDIATE",
      releaseSavepoint: (name) => `RELEASE SAVEPOINT ${name}`
    })
  }
)

export const layer = (file: string): Layer.Layer<SqlClient.SqlClient, SqlError> =>
  Layer.effect(SqlClient.SqlClient, make(file)).pipe(Layer.provide(Reactivity.layer))
