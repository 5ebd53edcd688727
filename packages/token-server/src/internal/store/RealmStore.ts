/**
 * Realms in SQL.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Realm } from "../../Realm.ts"
import type { Conflict, NotFound, StoreFailed } from "../Failure.ts"

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
  readonly find: (id: string) => Effect.Effect<Realm, NotFound | StoreFailed>
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
