/**
 * The database: SQLite for one machine, PostgreSQL for many. Waits for it are bounded, and its failures are named.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as SqlClient from "effect/sql/SqlClient"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import type { Fragment } from "effect/sql/Statement"
import { StoreFailed } from "../Failure.ts"
import * as Migrations from "./Migrations.ts"
import * as NodeSqlite from "./NodeSqlite.ts"
import { storeFailed } from "./SqlFailure.ts"

/** Failures with what a driver says of its own put into words of ours. */
export type Named<E> = Exclude<E, SqlError> | StoreFailed

export class Database extends Context.Service<Database, {
  readonly sql: SqlClient.SqlClient
  /**
   * Runs statements. What only collided with somebody else's runs again, and all of it takes five seconds at most. Inside
   * of a transaction they are part of that, which then runs again as a whole.
   */
  readonly run: <A, E, R>(statements: Effect.Effect<A, E, R>) => Effect.Effect<A, Named<E>, R>
  /** The same for statements of which all happen or none. */
  readonly transaction: <A, E, R>(statements: Effect.Effect<A, E, R>) => Effect.Effect<A, Named<E>, R>
  /** The database's clock inside of a statement: milliseconds since 1970 when the statement runs. */
  readonly clock: Fragment
  /** The database's clock. */
  readonly now: Effect.Effect<number, StoreFailed>
}>()("@effect-identity/token-server/internal/store/Database") {}

const patience = Duration.seconds(5)

const collisions = Schedule.exponential(10, 2).pipe(Schedule.jittered, Schedule.upTo({ times: 8 }))

const isBusy = (failure: unknown): boolean => failure instanceof StoreFailed && failure.detail === "busy"

/** Ends after `patience` even where the database answers neither the statement nor its cancellation. */
const bounded = <A, E, R>(statements: Effect.Effect<A, E, R>): Effect.Effect<A, E | StoreFailed, R> =>
  Effect.flatMap(Effect.forkDetach(statements), (fiber) =>
    Fiber.join(fiber).pipe(
      Effect.timeoutOrElse({ duration: patience, orElse: () => Effect.fail(new StoreFailed({ detail: "busy" })) }),
      Effect.onExit(() => Effect.sync(() => fiber.interruptUnsafe()))
    ))

const isOurs = <E>(failure: E): failure is Exclude<E, SqlError> => !isSqlError(failure)

const named = <A, E, R>(statements: Effect.Effect<A, E, R>): Effect.Effect<A, Named<E>, R> =>
  Effect.mapError(statements, (failure) => isOurs(failure) ? failure : storeFailed(failure))

const make = (sql: SqlClient.SqlClient): Database["Service"] => {
  const attempted = <A, E, R>(statements: Effect.Effect<A, E, R>): Effect.Effect<A, Named<E>, R> =>
    Effect.flatMap(Effect.serviceOption(sql.transactionService), ({ _tag }) =>
      _tag === "Some"
        ? named(statements)
        : bounded(Effect.retry(named(statements), { schedule: collisions, while: isBusy })))
  const clock = sql.onDialectOrElse({
    pg: () => sql.literal("(extract(epoch FROM clock_timestamp()) * 1000)::bigint"),
    orElse: () => sql.literal("CAST(unixepoch('subsec') * 1000 AS INTEGER)")
  })
  const now = attempted(
    Effect.flatMap(
      sql<{ now: number }>`SELECT ${clock} AS now`,
      ([row]) => row === undefined ? Effect.fail(new StoreFailed({ detail: "unavailable" })) : Effect.succeed(row.now)
    )
  )
  return {
    sql,
    run: attempted,
    transaction: (statements) => attempted(sql.withTransaction(statements)),
    clock,
    now
  }
}

const open = Effect.flatMap(SqlClient.SqlClient, (sql) =>
  named(Migrations.run).pipe(
    Effect.retry({ schedule: collisions, while: isBusy }),
    Effect.as(make(sql))
  ))

const layer = (client: Layer.Layer<SqlClient.SqlClient, SqlError>): Layer.Layer<Database, StoreFailed> =>
  Layer.effect(Database, open).pipe(
    Layer.provide(client),
    Layer.catchTag("SqlError", (error) => Layer.effect(Database, Effect.fail(storeFailed(error))))
  )

/** The file of SQLite, made when there is none and readable for its owner only. */
export const layerSqlite = (file: string): Layer.Layer<Database, StoreFailed> => layer(NodeSqlite.layer(file))

/** `postgres://user:password@host:port/database`, with TLS unless the server or `sslmode` says otherwise. */
export const layerPostgres = (url: Redacted.Redacted): Layer.Layer<Database, StoreFailed> =>
  // Not for those who need none of it: it takes as long to load as the rest of a server.
  layer(Layer.unwrap(Effect.map(Effect.promise(() => import("./Postgres.ts")), (postgres) => postgres.layer(url))))
