/**
 * The keys of this server's own API in SQL, by their digests. No text of a key is stored.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { NotFound, type StoreFailed } from "../Failure.ts"
import { Database } from "./Database.ts"
import type { Page, Paging } from "./RealmStore.ts"
import * as Rows from "./Rows.ts"

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

interface Stored {
  readonly id: string
  readonly name: string
  readonly role: string
  readonly realms: string
  readonly created_at: number
  readonly expires_at: number | null
  readonly revoked_at: number | null
}

const decodeRole = Rows.decode(Schema.Literals(["admin", "operator", "reader"]))

const decodeRealms = Rows.decode(
  Schema.fromJsonString(Schema.Union([Schema.Literal("*"), Schema.Array(Schema.String)]))
)

const read = Effect.fnUntraced(function*({ created_at, expires_at, id, name, realms, revoked_at, role }: Stored) {
  const key: ApiKey = {
    id,
    name,
    role: yield* decodeRole(role),
    realms: yield* decodeRealms(realms),
    createdAt: created_at,
    expiresAt: expires_at ?? undefined,
    revokedAt: revoked_at ?? undefined
  }
  return key
})

const one = Effect.fnUntraced(function*([found]: ReadonlyArray<Stored>) {
  return found === undefined ? yield* new NotFound({ what: "apiKey" }) : yield* read(found)
})

const make = Effect.gen(function*() {
  const { clock, run, sql } = yield* Database
  const columns = sql.literal("id, name, role, realms, created_at, expires_at, revoked_at")

  return ApiKeyStore.of({
    create: ({ digest, expiresAt, id, name, realms, role }) =>
      run(Effect.flatMap(
        sql<Stored>`INSERT INTO api_keys (id, name, role, realms, digest, created_at, expires_at)
          VALUES (${id}, ${name}, ${role}, ${JSON.stringify(realms)}, ${digest}, ${clock}, ${Rows.orNull(expiresAt)})
          RETURNING ${columns}`,
        one
      )).pipe(Effect.catchTag("NotFound", Effect.die)),
    find: (digest) => run(Effect.flatMap(sql<Stored>`SELECT ${columns} FROM api_keys WHERE digest = ${digest}`, one)),
    list: (paging) =>
      run(Rows.page(
        sql<Stored>`SELECT ${columns} FROM api_keys ORDER BY position DESC ${Rows.limit(sql, paging)}`,
        sql`SELECT count(*) AS count FROM api_keys`,
        read
      )),
    revoke: (id) =>
      run(Effect.flatMap(
        sql<Stored>`UPDATE api_keys SET revoked_at = COALESCE(revoked_at, ${clock}) WHERE id = ${id}
          RETURNING ${columns}`,
        one
      )),
    usable: run(Effect.map(
      sql<{ count: number }>`SELECT count(*) AS count FROM api_keys
        WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ${clock})`,
      ([counted]) => counted?.count ?? 0
    ))
  })
})

export const layer: Layer.Layer<ApiKeyStore, never, Database> = Layer.effect(ApiKeyStore, make)
