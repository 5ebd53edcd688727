import { NotFound } from "@effect-identity/token-server/internal/Failure"
import * as ApiKeyStore from "@effect-identity/token-server/internal/store/ApiKeyStore"
import { Database } from "@effect-identity/token-server/internal/store/Database"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { layer as layerDatabase } from "../Database.ts"
import { hostile } from "./Stores.ts"

const layer = ApiKeyStore.layer.pipe(Layer.provideMerge(layerDatabase))

const key = (id: string) => ({
  id,
  name: `name of ${id}`,
  role: "reader" as const,
  realms: "*" as const,
  expiresAt: undefined,
  digest: id.padEnd(64, "0")
})

const none = new NotFound({ what: "apiKey" })

describe("ApiKeyStore", () => {
  it.live("finds a key by its digest, with all that it may do", () =>
    Effect.gen(function*() {
      const keys = yield* ApiKeyStore.ApiKeyStore
      const made = yield* keys.create({ ...key("a"), role: "operator", realms: hostile, name: hostile.join("") })
      assert.deepStrictEqual(yield* keys.find(key("a").digest), made)
      assert.deepStrictEqual([made.role, made.realms, made.name], ["operator", hostile, hostile.join("")])
      assert.strictEqual((yield* keys.create({ ...key("b"), role: "admin" })).realms, "*")
      assert.deepStrictEqual(yield* Effect.flip(keys.find("%")), none)
      assert.strictEqual((yield* Effect.flip(keys.create(key("a"))))._tag, "StoreFailed")
    }).pipe(Effect.provide(layer)))

  it.live("counts the keys that can be used, and revokes one once", () =>
    Effect.gen(function*() {
      const keys = yield* ApiKeyStore.ApiKeyStore
      const { now } = yield* Database
      const at = yield* now
      yield* keys.create({ ...key("past"), expiresAt: at - 1 })
      assert.strictEqual(yield* keys.usable, 0)
      yield* keys.create({ ...key("future"), expiresAt: at + 600_000 })
      yield* keys.create(key("always"))
      assert.strictEqual(yield* keys.usable, 2)
      const revoked = yield* keys.revoke("always")
      assert.isAtLeast(revoked.revokedAt ?? 0, at)
      assert.deepStrictEqual(yield* keys.revoke("always"), revoked)
      assert.deepStrictEqual(yield* keys.find(key("always").digest), revoked)
      assert.strictEqual(yield* keys.usable, 1)
      assert.deepStrictEqual(yield* Effect.flip(keys.revoke("other")), none)
    }).pipe(Effect.provide(layer)))

  it.live("lists keys by page, newest first", () =>
    Effect.gen(function*() {
      const keys = yield* ApiKeyStore.ApiKeyStore
      for (const id of ["a", "b", "c", "d", "e"]) yield* keys.create(key(id))
      const page = yield* keys.list({ page: 2, pageSize: 2 })
      assert.deepStrictEqual([page.list.map(({ id }) => id), page.total], [["c", "b"], 5])
    }).pipe(Effect.provide(layer)))
})
