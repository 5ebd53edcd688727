/**
 * What all lists and rows have in common.
 */
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import * as SchemaParser from "effect/SchemaParser"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Fragment, Statement } from "effect/sql/Statement"
import { StoreFailed } from "../Failure.ts"
import type { Page, Paging } from "./RealmStore.ts"

export const limit = (sql: SqlClient, { page, pageSize }: Paging): Fragment =>
  sql`LIMIT ${pageSize} OFFSET ${(page - 1) * pageSize}`

/** One page, and the number of all rows; in between somebody may have added one. */
export const page = <Row, A, E>(
  rows: Statement<Row>,
  counts: Statement<{ readonly count: number }>,
  read: (row: Row) => Effect.Effect<A, E>
): Effect.Effect<Page<A>, E | SqlError> =>
  Effect.gen(function*() {
    const list = yield* Effect.flatMap(rows, Effect.forEach(read))
    const [counted] = yield* counts
    return { list, total: counted?.count ?? list.length }
  })

/** Reads what this version has written, and names it where another one has. */
export const decode = <A>(schema: Schema.Codec<A, unknown>): (text: unknown) => Effect.Effect<A, StoreFailed> => {
  const read = SchemaParser.decodeUnknownEffect(schema)
  return (text) => Effect.mapError(read(text), () => new StoreFailed({ detail: "schema" }))
}

/** Statements of a table need all of their values to be there; SQL has no undefined. */
export const orNull = <A>(value: A | undefined): A | null => value ?? null
