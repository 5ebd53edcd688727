import { Conflict, NotFound, StoreFailed } from "@effect-identity/token-server/internal/Failure"
import { Database } from "@effect-identity/token-server/internal/store/Database"
import * as RealmStore from "@effect-identity/token-server/internal/store/RealmStore"
import { SecretStore } from "@effect-identity/token-server/internal/store/SecretStore"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { layer as layerDatabase } from "../Database.ts"
import { hostile, save, secrets } from "./Stores.ts"

const layer = Layer.mergeAll(RealmStore.layer, secrets()).pipe(Layer.provideMerge(layerDatabase))

const config = { preset: "wecom" }

const put = (id: string, comment = "", version?: number) =>
  Effect.flatMap(RealmStore.RealmStore, (store) => store.save({ id, comment, config, version }))

const ids = ({ list }: RealmStore.Page<RealmStore.RealmRow>) => list.map(({ id }) => id)

describe("RealmStore", () => {
  it.live("gives each change a version, and refuses one that is meant for another", () =>
    Effect.gen(function*() {
      const store = yield* RealmStore.RealmStore
      const first = yield* put("corp", "one", 0)
      assert.strictEqual(first.version, 1)
      assert.deepStrictEqual((yield* put("corp", "two", 1)).version, 2)
      const changed = new Conflict({ rule: "the realm was changed in the meantime" })
      assert.deepStrictEqual(yield* Effect.flip(put("corp", "lost", 1)), changed)
      assert.deepStrictEqual(yield* Effect.flip(put("corp", "lost", 0)), changed)
      assert.deepStrictEqual(yield* Effect.flip(put("other", "lost", 1)), changed)
      assert.strictEqual((yield* put("corp", "three")).version, 3)
      const row = yield* store.row("corp")
      assert.deepStrictEqual(row, { ...row, comment: "three", config, version: 3, createdAt: first.createdAt })
      assert.strictEqual((yield* store.find("corp")).version, 3)
      assert.deepStrictEqual(yield* Effect.flip(store.row("other")), new NotFound({ what: "realm" }))
    }).pipe(Effect.provide(layer)))

  it.live("lets one of many win who change the same version", () =>
    Effect.gen(function*() {
      yield* put("corp")
      const [won, lost] = yield* Effect.partition(Array.from({ length: 10 }), () => put("corp", "", 1), {
        concurrency: "unbounded"
      })
      assert.lengthOf(won, 1)
      assert.deepStrictEqual([...new Set(lost.map(({ _tag }) => _tag))], ["Conflict"])
    }).pipe(Effect.provide(layer)))

  it.live("looks for a keyword as it is written, whatever SQL means by it", () =>
    Effect.gen(function*() {
      const store = yield* RealmStore.RealmStore
      yield* put("plain", "nothing of interest")
      yield* put("Mixed", "CASE does not matter")
      for (const text of hostile) yield* put(`r${hostile.indexOf(text)}`, text)
      for (const keyword of hostile) {
        const { list, total } = yield* store.list({ page: 1, pageSize: 100, keyword })
        const holding = hostile.filter((text) => text.toLowerCase().includes(keyword.toLowerCase()))
        assert.sameMembers(list.map(({ comment }) => comment), holding)
        assert.strictEqual(total, holding.length)
      }
      assert.deepStrictEqual(ids(yield* store.list({ page: 1, pageSize: 9, keyword: "mixED" })), ["Mixed"])
      assert.deepStrictEqual(ids(yield* store.list({ page: 1, pageSize: 9, keyword: "case DOES" })), ["Mixed"])
      assert.strictEqual((yield* store.list({ page: 1, pageSize: 1, keyword: undefined })).total, hostile.length + 2)
    }).pipe(Effect.provide(layer)))

  it.live("shows a page of so many, in one order", () =>
    Effect.gen(function*() {
      const store = yield* RealmStore.RealmStore
      for (const id of ["d", "b", "e", "a", "c"]) yield* put(id)
      const page = (page: number) => Effect.map(store.list({ page, pageSize: 2, keyword: undefined }), ids)
      assert.deepStrictEqual(yield* Effect.forEach([1, 2, 3, 4], page), [["a", "b"], ["c", "d"], ["e"], []])
    }).pipe(Effect.provide(layer)))

  it.live("keeps a realm that has secrets until it is told to remove them with it", () =>
    Effect.gen(function*() {
      const store = yield* RealmStore.RealmStore
      yield* put("corp")
      yield* put("other")
      yield* save("corp", "k", { key_1: "a" })
      yield* save("other", "k", { key_1: "b" })
      assert.deepStrictEqual(
        yield* Effect.flip(store.remove("corp", false)),
        new Conflict({ rule: "the realm still has secrets" })
      )
      yield* store.remove("corp", true)
      assert.deepStrictEqual(yield* Effect.flip(store.remove("corp", true)), new NotFound({ what: "realm" }))
      const left = yield* (yield* SecretStore).list({ page: 1, pageSize: 9, realm: undefined })
      assert.deepStrictEqual(left.list.map(({ realm }) => realm), ["other"])
      assert.deepStrictEqual(yield* Effect.flip(save("corp", "k", {})), new NotFound({ what: "realm" }))
    }).pipe(Effect.provide(layer)))

  it.live("names a row that this version cannot read, and reads the others", () =>
    Effect.gen(function*() {
      const { run, sql } = yield* Database
      const store = yield* RealmStore.RealmStore
      yield* put("corp")
      yield* put("other")
      yield* run(sql`UPDATE realms SET config = ${"{\"preset\":\"of a later version\"}"} WHERE id = ${"corp"}`)
      assert.deepStrictEqual(yield* Effect.flip(store.find("corp")), new StoreFailed({ detail: "schema" }))
      assert.strictEqual((yield* store.find("other")).id, "other")
    }).pipe(Effect.provide(layer)))
})
