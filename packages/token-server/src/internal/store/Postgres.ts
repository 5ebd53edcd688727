/**
 * `effect/sql` over PostgreSQL, with the limits that keep a slow or stuck server from holding callers.
 */
import * as PgClient from "@effect/sql-pg/PgClient"
import * as PgTypes from "@effect/sql-pg/PgTypes"
import type * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"

const bigint = 20

/** Nothing here counts past 2^53: milliseconds, versions and counts are numbers, as they are with SQLite. */
const types = (): PgTypes.Registry => {
  const registry = PgTypes.makeRegistry()
  registry.register<number>(bigint, {
    encode: (value) => PgTypes.encode(BigInt(value), bigint),
    decode: (bytes) => Result.map(PgTypes.decode(bytes, bigint, 1), Number)
  })
  return registry
}

/** Up to ten connections, the first of them opened when something is asked. */
export const layer = (url: Redacted.Redacted): Layer.Layer<SqlClient.SqlClient, SqlError> =>
  PgClient.layer({
    url,
    types: types(),
    applicationName: "token-server",
    maxConnections: 10,
    connectTimeout: "3 seconds",
    keepAlive: "10 seconds",
    startupParameters: {
      statement_timeout: "4000",
      lock_timeout: "2000",
      // A server that froze in a transaction lets go of what it locked.
      idle_in_transaction_session_timeout: "5000"
    }
  })
