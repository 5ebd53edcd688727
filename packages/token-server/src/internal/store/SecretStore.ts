/**
 * Secrets in SQL, sealed. Nothing but `open` shows a value.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { Conflict, NotFound, StoreFailed, type Unsealable } from "../Failure.ts"
import { Database } from "./Database.ts"
import { KeyRing } from "./KeyRing.ts"
import type { Page, Paging } from "./RealmStore.ts"
import * as Reseal from "./Reseal.ts"
import * as Rows from "./Rows.ts"
import * as SealedPlace from "./SealedPlace.ts"
import { isConstraint } from "./SqlFailure.ts"

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

interface Stored {
  readonly realm: string
  readonly key: string
  readonly generation: number
  readonly key_id: string
  readonly fingerprints: string
  readonly created_at: number
  readonly rotated_at: number
}

const Texts = Schema.fromJsonString(Schema.Record(Schema.String, Schema.String))

const decodeTexts = Rows.decode(Texts)

const read = ({ created_at, fingerprints, generation, key, key_id, realm, rotated_at }: Stored) =>
  Effect.map(decodeTexts(fingerprints), (fingerprints): SecretRow => ({
    realm,
    key,
    generation,
    fingerprints,
    keyId: key_id,
    createdAt: created_at,
    rotatedAt: rotated_at
  }))

const none = new NotFound({ what: "secret" })

const changed = new Conflict({ rule: "the secret was changed in the meantime" })

const make = Effect.gen(function*() {
  const { clock, run, sql, transaction } = yield* Database
  const ring = yield* KeyRing
  const columns = sql.literal(`realm, "key", generation, key_id, fingerprints, created_at, rotated_at`)
  // Two who rotate at once do it one after the other; SQLite has one writer anyway.
  const locked = sql.literal(sql.onDialectOrElse({ pg: () => "FOR UPDATE", orElse: () => "" }))
  const at = (realm: string, key: string) => sql`WHERE realm = ${realm} AND "key" = ${key}`

  const open = Effect.fnUntraced(function*(realm: string, key: string) {
    const [row] = yield* run(
      sql<{ generation: number; key_id: string; sealed: string }>`SELECT generation, key_id, sealed FROM secrets
        ${at(realm, key)}`
    )
    if (row === undefined) return yield* none
    const { generation, key_id, sealed } = row
    const text = yield* ring.open({ keyId: key_id, text: sealed }, SealedPlace.secret({ realm, key, generation }))
    const values = Object.entries(yield* decodeTexts(Redacted.value(text)))
    return { generation, values: new Map(values.map(([name, value]) => [name, Redacted.make(value, { label: name })])) }
  })

  const row = (realm: string, key: string) =>
    Effect.flatMap(
      run(sql<Stored>`SELECT ${columns} FROM secrets ${at(realm, key)}`),
      ([found]): Effect.Effect<SecretRow, NotFound | StoreFailed> =>
        found === undefined ? Effect.fail(none) : read(found)
    )

  const list: SecretStore["Service"]["list"] = ({ realm, ...paging }) => {
    const matching = realm === undefined ? sql.literal("") : sql`WHERE realm = ${realm}`
    return run(Rows.page(
      sql<Stored>`SELECT ${columns} FROM secrets ${matching} ORDER BY realm, "key" ${Rows.limit(sql, paging)}`,
      sql`SELECT count(*) AS count FROM secrets ${matching}`,
      read
    ))
  }

  const put = Effect.fnUntraced(function*(
    { generation: expected, key, realm, values }: Parameters<SecretStore["Service"]["save"]>[0],
    fingerprints: string
  ) {
    const realms = yield* sql`SELECT id FROM realms WHERE id = ${realm}`
    if (realms.length === 0) return yield* new NotFound({ what: "realm" })
    const [before] = yield* sql<{ generation: number }>`SELECT generation FROM secrets ${at(realm, key)} ${locked}`
    if (expected !== undefined && expected !== (before?.generation ?? 0)) return yield* changed
    const generation = (before?.generation ?? 0) + 1
    const plain = Object.fromEntries(Array.from(values, ([name, value]) => [name, Redacted.value(value)]))
    const sealed = yield* ring.seal(
      Redacted.make(JSON.stringify(plain)),
      SealedPlace.secret({ realm, key, generation })
    )
    const [saved] = yield* before === undefined
      ? sql<Stored>`INSERT INTO secrets (${columns}, sealed)
          VALUES (${realm}, ${key}, 1, ${sealed.keyId}, ${fingerprints}, ${clock}, ${clock}, ${sealed.text})
          ON CONFLICT (realm, "key") DO NOTHING RETURNING ${columns}`
      : sql<Stored>`UPDATE secrets SET generation = ${generation}, key_id = ${sealed.keyId}, sealed = ${sealed.text},
          fingerprints = ${fingerprints}, rotated_at = ${clock}
          ${at(realm, key)} RETURNING ${columns}`
    // Who said which generation it is to be hears that it was another; for everybody else the last one wins.
    if (saved === undefined) return yield* expected === undefined ? new StoreFailed({ detail: "busy" }) : changed
    // The row stays: its claims must go on growing.
    yield* sql`UPDATE tokens SET secret_generation = NULL, key_id = NULL, sealed = NULL, requested_at = NULL,
      expires_at = NULL ${at(realm, key)}`
    return yield* read(saved)
  })

  const save: SecretStore["Service"]["save"] = Effect.fnUntraced(function*(secret) {
    const hashes = yield* Effect.forEach(
      secret.values,
      ([name, value]) => Effect.map(ring.fingerprint(value), (hash) => [name, hash] as const)
    )
    return yield* transaction(
      put(secret, JSON.stringify(Object.fromEntries(hashes))).pipe(
        Effect.catchTag(
          "SqlError",
          (error) => Effect.fail(isConstraint(error) ? new NotFound({ what: "realm" }) : error)
        )
      )
    )
  })

  const remove = (realm: string, key: string) =>
    run(Effect.flatMap(
      sql`DELETE FROM secrets ${at(realm, key)} RETURNING realm`,
      (removed) => removed.length === 0 ? Effect.fail(none) : Effect.void
    ))

  return SecretStore.of({ open, row, list, save, remove, reseal: yield* Reseal.make })
})

export const layer: Layer.Layer<SecretStore, never, Database | KeyRing> = Layer.effect(SecretStore, make)
