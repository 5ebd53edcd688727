/**
 * Servers of tokens on one database, and what a test does to them and to it.
 */
import { NotFound, StoreFailed } from "@effect-identity/token-server/internal/Failure"
import * as BudgetStore from "@effect-identity/token-server/internal/store/BudgetStore"
import { Database } from "@effect-identity/token-server/internal/store/Database"
import { KeyRing } from "@effect-identity/token-server/internal/store/KeyRing"
import { RealmStore } from "@effect-identity/token-server/internal/store/RealmStore"
import { SecretStore } from "@effect-identity/token-server/internal/store/SecretStore"
import * as TokenStore from "@effect-identity/token-server/internal/store/TokenStore"
import * as TokenEngine from "@effect-identity/token-server/internal/tokens/TokenEngine"
import { Tokens } from "@effect-identity/token-server/internal/tokens/Tokens"
import * as RealmModule from "@effect-identity/token-server/Realm"
import { Clock, Context, Effect, Layer, Redacted, Result } from "effect"
import { SecureRandom } from "effect/crypto"
import { Place } from "../Database.ts"
import type { Issuer } from "./Issuer.ts"

const clockOfTest = Effect.map(Effect.all([Database, Clock.Clock]), ([database, clock]) =>
  Database.of({
    ...database,
    get clock() {
      return database.sql.literal(String(Math.floor(clock.currentTimeMillisUnsafe())))
    }
  }))

const ring = Layer.succeed(
  KeyRing,
  KeyRing.of({
    seal: (text, place) => Effect.succeed({ keyId: "k1", text: JSON.stringify([Redacted.value(text), ...place]) }),
    open: (sealed) => Effect.succeed(Redacted.make(String(JSON.parse(sealed.text)[0]))),
    fingerprint: () => Effect.succeed("0".repeat(32)),
    sealingKeyId: "k1",
    keyIds: ["k1"]
  })
)

const notUsed = () => Effect.die("not used here")

const realms = Layer.effect(
  RealmStore,
  Effect.map(Database, ({ run, sql }) =>
    RealmStore.of({
      find: (id) =>
        Effect.gen(function*() {
          const [row] = yield* run(sql<{ config: string }>`SELECT config FROM realms WHERE id = ${id}`)
          if (row === undefined) return yield* new NotFound({ what: "realm" })
          const realm = RealmModule.decode({ id, comment: "", version: 1, config: JSON.parse(row.config) })
          return Result.isSuccess(realm) ? realm.success : yield* new StoreFailed({ detail: "schema" })
        }),
      row: notUsed,
      list: notUsed,
      save: notUsed,
      remove: notUsed
    }))
)

const secrets = Layer.effect(
  SecretStore,
  Effect.map(Database, ({ run, sql }) =>
    SecretStore.of({
      open: (realm, key) =>
        Effect.gen(function*() {
          const [row] = yield* run(
            sql<{ generation: number; sealed: string }>`
              SELECT generation, sealed FROM secrets WHERE realm = ${realm} AND "key" = ${key}`
          )
          if (row === undefined) return yield* new NotFound({ what: "secret" })
          return { generation: row.generation, values: new Map([["key_1", Redacted.make(row.sealed)]]) }
        }),
      row: notUsed,
      list: notUsed,
      save: notUsed,
      remove: notUsed,
      reseal: notUsed
    }))
)

/** What is wrong with a database, for the servers that look at it through this. */
export class Trouble {
  /** Every statement, or only those that write. */
  kind: "none" | "down" | "full" = "none"
}

const troubled = (trouble: Trouble) =>
  Effect.map(Database, (database) =>
    Database.of({
      ...database,
      get clock() {
        return database.clock
      },
      run: (statements) =>
        Effect.suspend(() =>
          trouble.kind === "down"
            ? Effect.fail(new StoreFailed({ detail: "unavailable" }))
            : database.run(statements)
        )
    }))

/** Only the stores of tokens and budgets write here. */
const full = (trouble: Trouble) =>
  Layer.effect(
    TokenStore.TokenStore,
    Effect.map(TokenStore.TokenStore, (store) => {
      const guarded = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
        Effect.suspend((): Effect.Effect<A, E | StoreFailed, R> =>
          trouble.kind === "full" ? Effect.fail(new StoreFailed({ detail: "full" })) : effect
        )
      return TokenStore.TokenStore.of({
        read: store.read,
        claim: (place, options) => guarded(store.claim(place, options)),
        confirm: (claim, forMillis) => guarded(store.confirm(claim, forMillis)),
        store: (claim, token) => guarded(store.store(claim, token)),
        doubt: (claim, sentAt) => guarded(store.doubt(claim, sentAt)),
        fail: (claim, failure) => guarded(store.fail(claim, failure)),
        release: (claim) => guarded(store.release(claim))
      })
    })
  )

/** A server of its own, with connections of its own, on the database of the test; closed with the scope. */
export const open = (issuer: Issuer, trouble = new Trouble()) =>
  Effect.gen(function*() {
    const place = yield* Place
    const database = Layer.effect(Database, troubled(trouble)).pipe(
      Layer.provide(Layer.effect(Database, clockOfTest)),
      Layer.provide(place.open)
    )
    const stores = Layer.mergeAll(
      full(trouble).pipe(Layer.provide(TokenStore.layer)),
      BudgetStore.layer,
      realms,
      secrets
    ).pipe(Layer.provide(Layer.merge(database, ring)))
    const layer = TokenEngine.layer.pipe(
      Layer.provide(Layer.mergeAll(stores, issuer.layer, SecureRandom.layerWebCrypto))
    )
    return Context.get(yield* Layer.build(Layer.fresh(layer)), Tokens)
  })

export const config = {
  url: "https://upstream.example/token",
  method: "GET",
  arguments: [{ name: "secret", place: "url", value: "$key_1" }],
  token_path: "access_token",
  expires_in_path: "expires_in",
  timeout_ms: 1000
}

/** Writes to the database behind the backs of the servers. */
export const sql = Effect.gen(function*() {
  const { run, sql } = yield* Database
  return { run, sql }
})

export const saveRealm = (id: string, more: object = {}) =>
  Effect.flatMap(Database, ({ run, sql }) =>
    run(sql`INSERT INTO realms ${
      sql.insert({
        id,
        comment: "",
        config: JSON.stringify({ ...config, ...more }),
        version: 1,
        created_at: 1,
        updated_at: 1
      })
    }`))

export const saveSecret = (realm: string, key: string, value: string, generation = 1, createdAt = 1) =>
  Effect.flatMap(Database, ({ run, sql }) =>
    run(sql`INSERT INTO secrets ${
      sql.insert({
        realm,
        key,
        generation,
        key_id: "k1",
        sealed: value,
        fingerprints: "{}",
        created_at: createdAt,
        rotated_at: 1
      })
    } ON CONFLICT (realm, "key") DO UPDATE SET
      generation = excluded.generation, sealed = excluded.sealed, created_at = excluded.created_at`))
