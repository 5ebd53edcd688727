import { Conflict } from "@effect-identity/token-server/internal/Failure"
import * as AuditStore from "@effect-identity/token-server/internal/store/AuditStore"
import { Database } from "@effect-identity/token-server/internal/store/Database"
import * as RealmStore from "@effect-identity/token-server/internal/store/RealmStore"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { layer as layerDatabase } from "../Database.ts"
import { hostile } from "./Stores.ts"

const layer = Layer.mergeAll(RealmStore.layer, AuditStore.layer).pipe(Layer.provideMerge(layerDatabase))

const entry = (part: Partial<AuditStore.AuditEntry>): AuditStore.AuditEntry => ({
  actor: "system",
  action: "token.read",
  realm: undefined,
  subject: undefined,
  outcome: "ok",
  count: 1,
  ...part
})

const none = { actor: undefined, action: undefined, realm: undefined, since: undefined, until: undefined }

const everything = { page: 1, pageSize: 10_000, ...none }

describe("AuditStore", () => {
  it.live("keeps what happened, newest first, by page and filter", () =>
    Effect.gen(function*() {
      const { append, list } = yield* AuditStore.AuditStore
      const { now } = yield* Database
      yield* append([])
      yield* append(Array.from({ length: 1200 }, (_, n) => entry({ realm: n % 2 === 0 ? "even" : "odd", count: n })))
      const page = yield* list({ ...everything, page: 2, pageSize: 3, realm: "even" })
      assert.deepStrictEqual(page.list.map(({ count }) => count), [1192, 1190, 1188])
      assert.strictEqual(page.total, 600)
      const [last] = page.list
      assert.deepStrictEqual(last, { ...entry({ realm: "even", count: 1192 }), id: last?.id ?? 0, at: last?.at ?? 0 })
      const later = (yield* now) + 1
      assert.strictEqual((yield* list({ ...everything, since: later })).total, 0)
      assert.strictEqual((yield* list({ ...everything, until: later })).total, 1200)
      yield* append(hostile.map((text) => entry({ actor: text, action: text, realm: text, subject: text })))
      for (const text of hostile) {
        const found = yield* list({ ...everything, actor: text, action: text, realm: text })
        assert.deepStrictEqual(found.list.map(({ subject }) => subject), [text])
      }
    }).pipe(Effect.provide(layer)))

  it.live("keeps a change and its entry, or neither", () =>
    Effect.gen(function*() {
      const audit = yield* AuditStore.AuditStore
      const realms = yield* RealmStore.RealmStore
      const save = (version: number) => realms.save({ id: "corp", comment: `${version}`, config: {}, version })
      const saved = yield* audit.recorded(entry({ action: "realm.save" }), save(0))
      assert.strictEqual(saved.version, 1)
      const refused = yield* Effect.flip(audit.recorded(entry({ action: "realm.save" }), save(7)))
      assert.deepStrictEqual(refused, new Conflict({ rule: "the realm was changed in the meantime" }))
      assert.strictEqual((yield* audit.list(everything)).total, 1)

      const { run, sql } = yield* Database
      yield* run(sql`ALTER TABLE audit RENAME TO audit_away`)
      const failure = yield* Effect.flip(audit.recorded(entry({ action: "realm.save" }), save(1)))
      assert.strictEqual(failure._tag, "StoreFailed")
      assert.strictEqual((yield* realms.row("corp")).version, 1)
    }).pipe(Effect.provide(layer)))
})
