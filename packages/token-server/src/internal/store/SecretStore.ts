/**
 * Secrets in SQL, sealed. Nothing but `open` shows a value.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type { Conflict, NotFound, StoreFailed, Unsealable } from "../Failure.ts"
import type { Page, Paging } from "./RealmStore.ts"

/** What a read shows of a secret. */
export interface SecretRow {
  readonly realm: string
  readonly key: string
  /** Grows with every rotation. */
  readonly generation: number
  /** By name (`key_1`): a keyed hash that tells equal from different, and nothing else. */
  readonly fingerprints: Readonly<Record<string, string>>
  /** The master key that seals it. */
  readonly keyId: string
  readonly createdAt: number
  readonly rotatedAt: number
}

/** A secret that is about to be used. */
export interface OpenSecret {
  readonly generation: number
  readonly values: ReadonlyMap<string, Redacted.Redacted>
}

export class SecretStore extends Context.Service<SecretStore, {
  readonly open: (realm: string, key: string) => Effect.Effect<OpenSecret, NotFound | StoreFailed | Unsealable>
  readonly row: (realm: string, key: string) => Effect.Effect<SecretRow, NotFound | StoreFailed>
  readonly list: (
    paging: Paging & { readonly realm: string | undefined }
  ) => Effect.Effect<Page<SecretRow>, StoreFailed>
  /** Makes it, or replaces all its values: the generation grows, and tokens got with the one before are dropped. */
  readonly save: (secret: {
    readonly realm: string
    readonly key: string
    readonly values: ReadonlyMap<string, Redacted.Redacted>
    readonly generation: number | undefined
  }) => Effect.Effect<SecretRow, Conflict | NotFound | StoreFailed>
  readonly remove: (realm: string, key: string) => Effect.Effect<void, NotFound | StoreFailed>
  /** Seals up to `limit` rows (secrets and tokens) that another master key seals with the first of the ring; how many. */
  readonly reseal: (limit: number) => Effect.Effect<number, StoreFailed | Unsealable>
}>()("@effect-identity/token-server/internal/store/SecretStore") {}
