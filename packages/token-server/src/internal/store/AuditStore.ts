/**
 * Who did what, in SQL. Only appended to; what could be a secret is a keyed hash in it.
 */
import * as Arr from "effect/Array"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { StoreFailed } from "../Failure.ts"
import { Database } from "./Database.ts"
import type { Page, Paging } from "./RealmStore.ts"
import * as Rows from "./Rows.ts"

/** What is written down. */
export interface AuditEntry {
  /** Id of the API key, or `system`. */
  readonly actor: string
  /** `token.read`, `secret.save`, `realm.remove` and so on. */
  readonly action: string
  readonly realm: string | undefined
  /** The keyed hash (`KeyRing.fingerprint`) of what it was done to: the key of a secret, the id of an API key. */
  readonly subject: string | undefined
  readonly outcome: "ok" | "denied" | "failed"
  /** How often since the entry before: reads of tokens are counted, not written one by one. */
  readonly count: number
}

/** An entry and its row. */
export interface AuditRow extends AuditEntry {
  /** Grows. */
  readonly id: number
  /** Milliseconds since 1970. */
  readonly at: number
}

export class AuditStore extends Context.Service<AuditStore, {
  readonly append: (entries: ReadonlyArray<AuditEntry>) => Effect.Effect<void, StoreFailed>
  /** The change and its entry in one transaction: neither of them happens without the other. */
  readonly recorded: <A, E, R>(
    entry: AuditEntry,
    change: Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E | StoreFailed, R>
  /** Newest first. */
  readonly list: (
    filter: Paging & {
      readonly actor: string | undefined
      readonly action: string | undefined
      readonly realm: string | undefined
      /** Milliseconds since 1970, both of them: from, and up to but not with. */
      readonly since: number | undefined
      readonly until: number | undefined
    }
  ) => Effect.Effect<Page<AuditRow>, StoreFailed>
}>()("@effect-identity/token-server/internal/store/AuditStore") {}

interface Stored {
  readonly id: number
  readonly at: number
  readonly actor: string
  readonly action: string
  readonly realm: string | null
  readonly subject: string | null
  readonly outcome: string
  readonly count: number
}

const decodeOutcome = Rows.decode(Schema.Literals(["ok", "denied", "failed"]))

const read = ({ outcome, realm, subject, ...row }: Stored) =>
  Effect.map(decodeOutcome(outcome), (outcome): AuditRow => ({
    ...row,
    outcome,
    realm: realm ?? undefined,
    subject: subject ?? undefined
  }))

/** Far below the number of parameters that either database takes. */
const rowsAtOnce = 500

const make = Effect.gen(function*() {
  const { clock, run, sql, transaction } = yield* Database

  const append = (entries: ReadonlyArray<AuditEntry>) =>
    Effect.forEach(Arr.chunksOf(entries, rowsAtOnce), (chunk) => {
      const rows = chunk.map(({ action, actor, count, outcome, realm, subject }) =>
        sql`(${clock}, ${actor}, ${action}, ${Rows.orNull(realm)}, ${Rows.orNull(subject)}, ${outcome}, ${count})`
      )
      return sql`INSERT INTO audit (at, actor, action, realm, subject, outcome, count) VALUES ${sql.csv(rows)}`
    }, { discard: true })

  const list: AuditStore["Service"]["list"] = ({ action, actor, realm, since, until, ...paging }) => {
    const filters = [
      ...(actor === undefined ? [] : [sql`actor = ${actor}`]),
      ...(action === undefined ? [] : [sql`action = ${action}`]),
      ...(realm === undefined ? [] : [sql`realm = ${realm}`]),
      ...(since === undefined ? [] : [sql`at >= ${since}`]),
      ...(until === undefined ? [] : [sql`at < ${until}`])
    ]
    const matching = sql.and(filters)
    return run(Rows.page(
      sql<Stored>`SELECT id, at, actor, action, realm, subject, outcome, count FROM audit WHERE ${matching}
        ORDER BY id DESC ${Rows.limit(sql, paging)}`,
      sql`SELECT count(*) AS count FROM audit WHERE ${matching}`,
      read
    ))
  }

  return AuditStore.of({
    append: (entries) => transaction(append(entries)),
    recorded: (entry, change) => transaction(Effect.tap(change, append([entry]))),
    list
  })
})

export const layer: Layer.Layer<AuditStore, never, Database> = Layer.effect(AuditStore, make)
