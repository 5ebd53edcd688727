import { SecretSweep } from "@effect-identity/testing"
import { Conflict, NotFound, Unsealable } from "@effect-identity/token-server/internal/Failure"
import { Database } from "@effect-identity/token-server/internal/store/Database"
import * as RealmStore from "@effect-identity/token-server/internal/store/RealmStore"
import { SecretStore } from "@effect-identity/token-server/internal/store/SecretStore"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { layer as layerDatabase } from "../Database.ts"
import { hostile, opened, save, secrets } from "./Stores.ts"

const layer = Layer.mergeAll(RealmStore.layer, secrets()).pipe(Layer.provideMerge(layerDatabase))

const realm = (id: string) =>
  Effect.flatMap(RealmStore.RealmStore, (store) => store.save({ id, comment: "", config: {}, version: undefined }))

const broken = new Unsealable({ detail: "ciphertext", keyId: "k1" })

describe("SecretStore", () => {
  it.live("gives back what was saved, in names and values of any text", () =>
    Effect.gen(function*() {
      for (const text of hostile) {
        yield* realm(text)
        const values = { key_1: text, [text]: "of a strange name", empty: "" }
        yield* save(text, text, values)
        assert.deepStrictEqual(yield* opened(text, text), values)
      }
      const store = yield* SecretStore
      for (const text of hostile) {
        const { list, total } = yield* store.list({ page: 1, pageSize: 9, realm: text })
        assert.deepStrictEqual([list.map(({ key }) => key), total], [[text], 1])
      }
      for (const text of hostile) {
        yield* store.remove(text, text)
        assert.deepStrictEqual(yield* Effect.flip(store.open(text, text)), new NotFound({ what: "secret" }))
      }
      assert.strictEqual((yield* store.list({ page: 1, pageSize: 9, realm: undefined })).total, 0)
    }).pipe(Effect.provide(layer)))

  it.live("shows no value but to who opens it, and tells equal from different", () =>
    Effect.gen(function*() {
      yield* realm("corp")
      const secret = "a-secret-of-the-store-51c9"
      const first = yield* save("corp", "a", { key_1: secret, key_2: "other" })
      const second = yield* save("corp", "b", { key_1: "other", key_2: secret })
      assert.strictEqual(first.fingerprints["key_1"], second.fingerprints["key_2"])
      assert.strictEqual(first.fingerprints["key_2"], second.fingerprints["key_1"])
      assert.match(first.fingerprints["key_1"] ?? "", /^[\da-f]{32}$/)
      const { run, sql } = yield* Database
      const stored = yield* run(sql`SELECT * FROM secrets`)
      assert.deepStrictEqual(SecretSweep.find(JSON.stringify([first, second, stored]), { secret }), [])
      assert.deepStrictEqual(SecretSweep.find(yield* (yield* SecretStore).open("corp", "a"), { secret }), [])
    }).pipe(Effect.provide(layer)))

  it.live("counts rotations, and refuses one that is meant for another generation", () =>
    Effect.gen(function*() {
      const store = yield* SecretStore
      yield* realm("corp")
      const at = (generation: number, value: string) =>
        store.save({ realm: "corp", key: "k", generation, values: new Map([["key_1", Redacted.make(value)]]) })
      const made = yield* at(0, "one")
      assert.strictEqual(made.generation, 1)
      const rotated = yield* at(1, "two")
      assert.deepStrictEqual([rotated.generation, rotated.createdAt], [2, made.createdAt])
      const changed = new Conflict({ rule: "the secret was changed in the meantime" })
      for (const wrong of [0, 1, 3]) assert.deepStrictEqual(yield* Effect.flip(at(wrong, "lost")), changed)
      assert.strictEqual((yield* save("corp", "k", { key_1: "three" })).generation, 3)
      const outcomes = yield* Effect.partition(Array.from({ length: 8 }, (_, n) => `value ${n}`), (value) =>
        at(3, value), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(
        outcomes.map(({ length }) =>
          length
        ),
        [1, 7]
      )
      const all = yield* Effect.forEach(Array.from({ length: 8 }), (_, n) => save("corp", "k", { key_1: `${n}` }), {
        concurrency: "unbounded"
      })
      assert.sameMembers(all.map(({ generation }) => generation), [5, 6, 7, 8, 9, 10, 11, 12])
    }).pipe(Effect.provide(layer)))

  it.live("drops the token of the secret before", () =>
    Effect.gen(function*() {
      const { run, sql } = yield* Database
      yield* realm("corp")
      yield* save("corp", "k", { key_1: "one" })
      yield* run(sql`INSERT INTO tokens (realm, "key", claim, secret_generation, key_id, sealed, expires_at)
        VALUES ('corp', 'k', 7, 1, 'k1', 'sealed', 2000)`)
      yield* save("corp", "k", { key_1: "two" })
      const [row] = yield* run(sql`SELECT claim, secret_generation, sealed, expires_at FROM tokens`)
      assert.deepStrictEqual(Object.values(row ?? {}), [7, null, null, null])
    }).pipe(Effect.provide(layer)))

  it.live("fails closed for a row that was moved, cut, bent or kept from before, and opens the others", () =>
    Effect.gen(function*() {
      const { run, sql } = yield* Database
      const store = yield* SecretStore
      yield* realm("corp")
      for (const key of ["a", "b", "c"]) yield* save("corp", key, { key_1: `value of ${key}` })
      const sealedOf = (key: string) =>
        Effect.map(
          run(sql<{ sealed: string }>`SELECT sealed FROM secrets WHERE "key" = ${key}`),
          ([row]) => row?.sealed ?? ""
        )
      const put = (sealed: string) => run(sql`UPDATE secrets SET sealed = ${sealed} WHERE "key" = 'a'`)
      const right = yield* sealedOf("a")
      const bytes = Buffer.from(right, "base64")
      const bent = Array.from({ length: bytes.length * 8 }, (_, bit) => {
        const copy = Buffer.from(bytes)
        copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
        return copy.toString("base64")
      })
      const cut = Array.from({ length: bytes.length }, (_, length) => bytes.subarray(0, length).toString("base64"))
      const wrong = [
        yield* sealedOf("b"),
        ...bent.filter((_, bit) => bit % 7 === 0),
        ...cut,
        `${right}AAAA`,
        "%%%",
        right.slice(1)
      ]
      for (const sealed of wrong) {
        yield* put(sealed)
        assert.deepStrictEqual(yield* Effect.flip(store.open("corp", "a")), broken)
      }
      assert.deepStrictEqual(yield* opened("corp", "b"), { key_1: "value of b" })
      yield* put(right)
      assert.deepStrictEqual(yield* opened("corp", "a"), { key_1: "value of a" })
      yield* save("corp", "a", { key_1: "rotated" })
      yield* put(right)
      assert.deepStrictEqual(yield* Effect.flip(store.open("corp", "a")), broken)
      yield* run(sql`UPDATE secrets SET key_id = 'k9' WHERE "key" = 'c'`)
      assert.deepStrictEqual(
        yield* Effect.flip(store.open("corp", "c")),
        new Unsealable({ detail: "key", keyId: "k9" })
      )
    }).pipe(Effect.provide(layer)))
})
