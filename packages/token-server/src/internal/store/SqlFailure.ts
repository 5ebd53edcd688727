/**
 * What failures of a database mean for those who asked. Of the failure itself nothing is kept: it may quote values.
 */
import * as Predicate from "effect/Predicate"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import { StoreFailed } from "../Failure.ts"

type Detail = StoreFailed["detail"]

/** Primary result codes of SQLite (sqlite.org/rescode.html): full, read-only. */
const sqliteFull: ReadonlySet<number> = new Set([13, 8])

/** Classes and codes of PostgreSQL's appendix A. */
const pgDetails: ReadonlyArray<readonly [prefix: string, detail: Detail]> = [
  ["53100", "full"],
  ["25006", "full"],
  ["3D", "schema"],
  ["3F", "schema"],
  ["55P", "busy"],
  ["25P0", "busy"]
]

const otherDetail = (cause: unknown): Detail => {
  const code = Predicate.hasProperty(cause, "code") ? cause.code : undefined
  if (typeof code === "number") {
    const primary = code & 0xff
    if (sqliteFull.has(primary)) return "full"
    // "no such table" and its like have no code of their own.
    return primary === 1 ? "schema" : "unavailable"
  }
  return pgDetails.find(([prefix]) => typeof code === "string" && code.startsWith(prefix))?.[1] ?? "unavailable"
}

const detailOf = ({ reason }: SqlError): Detail => {
  switch (reason._tag) {
    case "DeadlockError":
    case "LockTimeoutError":
    case "SerializationError":
    case "StatementTimeoutError":
      return "busy"
    case "AuthorizationError":
    case "SqlSyntaxError":
      return "schema"
    default:
      return otherDetail(reason.cause)
  }
}

export const storeFailed = (failure: unknown): StoreFailed =>
  new StoreFailed({ detail: isSqlError(failure) ? detailOf(failure) : "unavailable" })

/** A row that would break a rule of its table was not written. */
export const isConstraint = ({ reason }: SqlError): boolean =>
  reason._tag === "ConstraintError" || reason._tag === "UniqueViolation"
