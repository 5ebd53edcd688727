/**
 * Realms in SQL.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Realm from "../../Realm.ts"
import { Conflict, NotFound, StoreFailed } from "../Failure.ts"
import { Database } from "./Database.ts"
import * as Rows from "./Rows.ts"
import { isConstraint } from "./SqlFailure.ts"

/** A page of something: what is on it, and how many there are in all. */
export interface Page<A> {
  readonly list: ReadonlyArray<A>
  readonly total: number
}

export interface Paging {
  /** From 1. */
  readonly page: number
  readonly pageSize: number
}

/** A realm and its row: `config` is the JSON that was given. */
export interface RealmRow {
  readonly id: string
  readonly comment: string
  readonly config: unknown
  readonly version: number
  readonly createdAt: number
  readonly updatedAt: number
}

export class RealmStore extends Context.Service<RealmStore, {
  /** The realm, decoded. A row that this version cannot decode fails with `StoreFailed` of `schema`. */
  readonly find: (id: string) => Effect.Effect<Realm.Realm, NotFound | StoreFailed>
  readonly row: (id: string) => Effect.Effect<RealmRow, NotFound | StoreFailed>
  /** `keyword` is looked for, literally, in ids and comments. */
  readonly list: (
    paging: Paging & { readonly keyword: string | undefined }
  ) => Effect.Effect<Page<RealmRow>, StoreFailed>
  /** Makes or replaces it; `version`, where given, must be the one that is stored (0: there is none). */
  readonly save: (realm: {
    readonly id: string
    readonly comment: string
    readonly config: unknown
    readonly version: number | undefined
  }) => Effect.Effect<RealmRow, Conflict | StoreFailed>
  /** Removes it; with `cascade` its secrets and tokens too, otherwise fails with `Conflict` while there are secrets. */
  readonly remove: (id: string, cascade: boolean) => Effect.Effect<void, Conflict | NotFound | StoreFailed>
}>()("@effect-identity/token-server/internal/store/RealmStore") {}

interface Stored {
  readonly id: string
  readonly comment: string
  readonly config: string
  readonly version: number
  readonly created_at: number
  readonly updated_at: number
}

const decodeConfig = Rows.decode(Schema.fromJsonString(Schema.Unknown))

const read = ({ config, created_at, updated_at, ...row }: Stored): Effect.Effect<RealmRow, StoreFailed> =>
  Effect.map(decodeConfig(config), (config) => ({ ...row, config, createdAt: created_at, updatedAt: updated_at }))

const changed = new Conflict({ rule: "the realm was changed in the meantime" })

const inUse = new Conflict({ rule: "the realm still has secrets" })

const none = new NotFound({ what: "realm" })

const make = Effect.gen(function*() {
  const { clock, run, sql, transaction } = yield* Database
  const columns = sql.literal("id, comment, config, version, created_at, updated_at")

  const row = (id: string) =>
    Effect.flatMap(
      run(sql<Stored>`SELECT ${columns} FROM realms WHERE id = ${id}`),
      ([found]): Effect.Effect<RealmRow, NotFound | StoreFailed> =>
        found === undefined ? Effect.fail(none) : read(found)
    )

  const find = Effect.fnUntraced(function*(id: string) {
    const { comment, config, version } = yield* row(id)
    const realm = Realm.decode({ id, comment, config, version })
    return Result.isSuccess(realm) ? realm.success : yield* new StoreFailed({ detail: "schema" })
  })

  const list: RealmStore["Service"]["list"] = ({ keyword = "", ...paging }) => {
    const place = sql.onDialectOrElse({ pg: () => sql.literal("strpos"), orElse: () => sql.literal("instr") })
    const matching = keyword === ""
      ? sql.literal("")
      : sql`WHERE ${place}(lower(id), lower(${keyword})) > 0 OR ${place}(lower(comment), lower(${keyword})) > 0`
    return run(Rows.page(
      sql<Stored>`SELECT ${columns} FROM realms ${matching} ORDER BY id ${Rows.limit(sql, paging)}`,
      sql`SELECT count(*) AS count FROM realms ${matching}`,
      read
    ))
  }

  const save = Effect.fnUntraced(function*(
    { comment, config, id, version }: Parameters<RealmStore["Service"]["save"]>[0]
  ) {
    const text = JSON.stringify(config)
    const insert = sql`INSERT INTO realms (${columns}) VALUES (${id}, ${comment}, ${text}, 1, ${clock}, ${clock})`
    const update = sql`SET comment = ${comment}, config = ${text}, version = realms.version + 1, updated_at = ${clock}`
    const statement = version === undefined
      ? sql<Stored>`${insert} ON CONFLICT (id) DO UPDATE ${update} RETURNING ${columns}`
      : version === 0
      ? sql<Stored>`${insert} ON CONFLICT (id) DO NOTHING RETURNING ${columns}`
      : sql<Stored>`UPDATE realms ${update} WHERE id = ${id} AND version = ${version} RETURNING ${columns}`
    const [saved] = yield* run(statement)
    return saved === undefined ? yield* changed : yield* read(saved)
  })

  const remove = (id: string, cascade: boolean) =>
    transaction(
      Effect.gen(function*() {
        const secrets = yield* cascade
          ? sql`DELETE FROM secrets WHERE realm = ${id}`
          : sql`SELECT 1 AS one FROM secrets WHERE realm = ${id} LIMIT 1`
        if (secrets.length > 0) return yield* inUse
        const removed = yield* sql`DELETE FROM realms WHERE id = ${id} RETURNING id`
        if (removed.length === 0) return yield* none
      }).pipe(
        // Somebody saved a secret between the two.
        Effect.catchTag("SqlError", (error) => Effect.fail(isConstraint(error) ? inUse : error))
      )
    )

  return RealmStore.of({ find, row, list, save, remove })
})

export const layer: Layer.Layer<RealmStore, never, Database> = Layer.effect(RealmStore, make)
