/**
 * Seals rows anew with the first master key, so that the others can leave the ring.
 */
import * as Effect from "effect/Effect"
import type { Fragment } from "effect/sql/Statement"
import type { StoreFailed, Unsealable } from "../Failure.ts"
import { Database } from "./Database.ts"
import { fingerprintPlace, KeyRing } from "./KeyRing.ts"
import * as SealedPlace from "./SealedPlace.ts"
import { sealedAt } from "./TokenStore.ts"

interface Row {
  readonly kept: "secrets" | "server_keys" | "tokens"
  readonly realm: string
  readonly key: string
  readonly generation: number
  readonly key_id: string
  readonly sealed: string
}

const placeOf = (row: Row): ReadonlyArray<string> => {
  switch (row.kept) {
    case "secrets":
      return SealedPlace.secret(row)
    case "tokens":
      return sealedAt(row)
    case "server_keys":
      return fingerprintPlace
  }
}

export const make = Effect.gen(function*() {
  const { run, sql } = yield* Database
  const ring = yield* KeyRing

  const others = (limit: number) =>
    sql<Row>`
      SELECT 'server_keys' AS kept, '' AS realm, name AS "key", 0 AS generation, key_id, sealed FROM server_keys
        WHERE key_id <> ${ring.sealingKeyId}
      UNION ALL SELECT 'secrets', realm, "key", generation, key_id, sealed FROM secrets
        WHERE key_id <> ${ring.sealingKeyId}
      UNION ALL SELECT 'tokens', realm, "key", 0, key_id, sealed FROM tokens WHERE key_id <> ${ring.sealingKeyId}
      LIMIT ${limit}`

  const tables: Record<Row["kept"], (row: Row) => Fragment> = {
    secrets: ({ generation, key, realm }) => sql`realm = ${realm} AND "key" = ${key} AND generation = ${generation}`,
    tokens: ({ key, realm }) => sql`realm = ${realm} AND "key" = ${key}`,
    server_keys: ({ key }) => sql`name = ${key}`
  }

  const one = Effect.fnUntraced(function*(row: Row) {
    const place = placeOf(row)
    const text = yield* ring.open({ keyId: row.key_id, text: row.sealed }, place)
    const sealed = yield* ring.seal(text, place)
    // What somebody wrote in the meantime is sealed with this key, or comes up again.
    yield* run(sql`UPDATE ${sql(row.kept)} SET key_id = ${sealed.keyId}, sealed = ${sealed.text}
      WHERE ${tables[row.kept](row)} AND sealed = ${row.sealed}`)
  })

  /** Rows that do not open do not keep the others from it; they alone are left when it fails. */
  return (limit: number): Effect.Effect<number, StoreFailed | Unsealable> =>
    Effect.gen(function*() {
      const rows = yield* run(others(limit))
      const [done, broken] = yield* Effect.partition(rows, one)
      const [failure] = broken
      if (failure !== undefined && (failure._tag === "StoreFailed" || done.length === 0)) return yield* failure
      return done.length
    })
})
