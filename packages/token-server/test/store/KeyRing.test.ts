import { SecretSweep } from "@effect-identity/testing"
import { Unsealable } from "@effect-identity/token-server/internal/Failure"
import { Database } from "@effect-identity/token-server/internal/store/Database"
import { KeyRing } from "@effect-identity/token-server/internal/store/KeyRing"
import * as RealmStore from "@effect-identity/token-server/internal/store/RealmStore"
import { SecretStore } from "@effect-identity/token-server/internal/store/SecretStore"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import * as fc from "fast-check"
import { randomBytes } from "node:crypto"
import { layer as layerDatabase } from "../Database.ts"
import { masterKey, opened, ringOf, save, secrets } from "./Stores.ts"

const refusal = (...entries: ReadonlyArray<string>) =>
  Effect.map(Effect.scoped(Effect.flip(Layer.build(ringOf(...entries)))), ({ message }) => message)

const realm = RealmStore.RealmStore.use((store) =>
  store.save({ id: "corp", comment: "", config: {}, version: undefined })
).pipe(Effect.provide(RealmStore.layer))

/** Under a ring of these keys, as a server that is started with them. */
const under = (...ids: ReadonlyArray<string>) => secrets(ringOf(...ids.map((id) => masterKey(id))))

describe("KeyRing", () => {
  it.live("opens what it sealed, where it sealed it, and nothing else", () =>
    Effect.gen(function*() {
      const ring = yield* KeyRing
      const context = yield* Effect.context<never>()
      const run = Effect.runPromiseWith(context)
      const text = fc.string({ unit: "grapheme" })
      const place = fc.array(text, { maxLength: 4 })
      yield* Effect.promise(() =>
        fc.assert(fc.asyncProperty(text, place, place, async (plain, here, there) => {
          const sealed = await run(ring.seal(Redacted.make(plain), here))
          assert.strictEqual(Redacted.value(await run(ring.open(sealed, here))), plain)
          if (JSON.stringify(here) !== JSON.stringify(there)) {
            assert.deepStrictEqual(
              await run(Effect.flip(ring.open(sealed, there))),
              new Unsealable({ detail: "ciphertext", keyId: "k1" })
            )
          }
          assert.notStrictEqual((await run(ring.seal(Redacted.make(plain), here))).text, sealed.text)
        }))
      )
    }).pipe(Effect.provide(ringOf(masterKey("k1")).pipe(Layer.provide(layerDatabase)))))

  it.live("says what is wrong with keys, and never shows one", () =>
    Effect.gen(function*() {
      const short = `short:${randomBytes(31).toString("base64")}`
      const long = `long:${randomBytes(33).toString("base64")}`
      const nameless = randomBytes(32).toString("base64")
      const twice = masterKey("k1", "another")
      const messages = {
        "": "master keys: there must be one",
        [short]: "master keys: the key short must have 32 bytes",
        [long]: "master keys: the key long must have 32 bytes",
        [nameless]: `master keys: entry 1 must be id:key, the id of letters, digits, ".", "_" and "-"`,
        "k1:?": "master keys: the key k1 must be Base64",
        [`${masterKey("k1")} ${twice}`]: "master keys: the id k1 must stand there once"
      }
      for (const [text, message] of Object.entries(messages)) {
        const failure = yield* Effect.scoped(Effect.flip(Layer.build(ringOf(text))))
        assert.strictEqual(failure.message, message)
        const values = { short: short.slice(6), long: long.slice(5), nameless, twice: twice.slice(3) }
        assert.deepStrictEqual(SecretSweep.find(failure, values), [])
      }
    }).pipe(Effect.provide(layerDatabase)))

  it.live("refuses to start with another key under an id that the database knows", () =>
    Effect.gen(function*() {
      yield* Effect.provide(Effect.andThen(realm, save("corp", "k", { key_1: "value" })), under("k1"))
      assert.strictEqual(
        yield* refusal(masterKey("k1", "another")),
        "master keys: the key k1 is not the one that this database knows by this id"
      )
      assert.deepStrictEqual(yield* Effect.provide(opened("corp", "k"), under("k1")), { key_1: "value" })
    }).pipe(Effect.provide(layerDatabase)))

  it.live("reads with every key of the ring, and lets one go when nothing is sealed with it any more", () =>
    Effect.gen(function*() {
      const reseal = (limit: number) => Effect.flatMap(SecretStore, (store) => store.reseal(limit))
      const { run, sql } = yield* Database
      yield* realm
      yield* Effect.provide(
        Effect.gen(function*() {
          for (const key of ["a", "b", "c"]) yield* save("corp", key, { key_1: `value of ${key}` })
          const ring = yield* KeyRing
          const token = yield* ring.seal(Redacted.make("a token"), ["tokens", "corp", "a", "sealed"])
          yield* run(sql`INSERT INTO tokens (realm, "key", key_id, sealed)
            VALUES ('corp', 'a', ${token.keyId}, ${token.text})`)
        }),
        under("old")
      )
      const rule = "master keys: what seals something must stay in the ring until it is sealed anew: old"
      assert.strictEqual(yield* refusal(masterKey("new")), `${rule} (5 rows)`)
      yield* Effect.provide(
        Effect.gen(function*() {
          yield* save("corp", "b", { key_1: "rotated" })
          assert.deepStrictEqual(yield* opened("corp", "a"), { key_1: "value of a" })
          assert.strictEqual(yield* reseal(3), 3)
        }),
        under("new", "old")
      )
      assert.strictEqual(yield* refusal(masterKey("new")), `${rule} (1 row)`)
      yield* Effect.provide(Effect.map(reseal(3), (count) => assert.strictEqual(count, 1)), under("new", "old"))
      yield* Effect.provide(
        Effect.gen(function*() {
          assert.strictEqual(yield* reseal(3), 0)
          assert.deepStrictEqual(yield* Effect.forEach(["a", "b", "c"], (key) => opened("corp", key)), [
            { key_1: "value of a" },
            { key_1: "rotated" },
            { key_1: "value of c" }
          ])
          const ring = yield* KeyRing
          const [row] = yield* run(sql<{ key_id: string; sealed: string }>`SELECT key_id, sealed FROM tokens`)
          const sealed = { keyId: row?.key_id ?? "", text: row?.sealed ?? "" }
          const token = yield* ring.open(sealed, ["tokens", "corp", "a", "sealed"])
          assert.strictEqual(Redacted.value(token), "a token")
        }),
        under("new")
      )
    }).pipe(Effect.provide(layerDatabase)))

  it.live("seals the other rows anew when one does not open, and names that at the end", () =>
    Effect.gen(function*() {
      const { run, sql } = yield* Database
      yield* realm
      yield* Effect.provide(
        Effect.forEach(["a", "b"], (key) => save("corp", key, { key_1: `value of ${key}` })),
        under("old")
      )
      yield* run(sql`UPDATE secrets SET sealed = 'AAAA' WHERE "key" = 'a'`)
      yield* Effect.provide(
        Effect.gen(function*() {
          const store = yield* SecretStore
          assert.strictEqual(yield* store.reseal(10), 2)
          assert.deepStrictEqual(
            yield* Effect.flip(store.reseal(10)),
            new Unsealable({ detail: "ciphertext", keyId: "old" })
          )
          assert.strictEqual((yield* store.row("corp", "b")).keyId, "new")
        }),
        under("new", "old")
      )
    }).pipe(Effect.provide(layerDatabase)))

  it.live("gives a secret the same fingerprint on every server and under every key, and another elsewhere", () =>
    Effect.gen(function*() {
      const fingerprint = KeyRing.use((ring) => ring.fingerprint(Redacted.make("value")))
      const here = [
        yield* Effect.provide(fingerprint, ringOf(masterKey("k1"))),
        yield* Effect.provide(fingerprint, ringOf(masterKey("k2"), masterKey("k1")))
      ]
      assert.strictEqual(here[0], here[1])
      const elsewhere = yield* Effect.provide(
        fingerprint,
        ringOf(masterKey("k1")).pipe(Layer.provide(Layer.fresh(layerDatabase)))
      )
      assert.notStrictEqual(here[0], elsewhere)
    }).pipe(Effect.provide(layerDatabase)))
})
