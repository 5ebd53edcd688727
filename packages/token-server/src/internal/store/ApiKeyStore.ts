/**
 * The keys of this server's own API in SQL, by their digests. No text of a key is stored.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { NotFound, StoreFailed } from "../Failure.ts"
import type { Page, Paging } from "./RealmStore.ts"

/** What a key may do: read tokens; also write secrets and ask for new tokens; also everything else. */
export type Role = "admin" | "operator" | "reader"

export interface ApiKey {
  readonly id: string
  readonly name: string
  readonly role: Role
  /** The realms it may touch; `*` is all of them, also those to come. */
  readonly realms: "*" | ReadonlyArray<string>
  /** Milliseconds since 1970, as are the other two. */
  readonly createdAt: number
  readonly expiresAt: number | undefined
  readonly revokedAt: number | undefined
}

export class ApiKeyStore extends Context.Service<ApiKeyStore, {
  /** `digest` is the SHA-256 of the key's text in 64 lower-case hexadecimal digits, and unique. */
  readonly create: (key: {
    readonly id: string
    readonly name: string
    readonly role: Role
    readonly realms: "*" | ReadonlyArray<string>
    readonly expiresAt: number | undefined
    readonly digest: string
  }) => Effect.Effect<ApiKey, StoreFailed>
  /** Also keys that are expired or revoked: the caller looks. */
  readonly find: (digest: string) => Effect.Effect<ApiKey, NotFound | StoreFailed>
  /** In the order they were made, newest first. */
  readonly list: (paging: Paging) => Effect.Effect<Page<ApiKey>, StoreFailed>
  /** Sets `revokedAt`, once: a key that is revoked keeps the first time. */
  readonly revoke: (id: string) => Effect.Effect<ApiKey, NotFound | StoreFailed>
  /** How many keys there are that are neither expired nor revoked: 0 at the first start. */
  readonly usable: Effect.Effect<number, StoreFailed>
}>()("@effect-identity/token-server/internal/store/ApiKeyStore") {}
