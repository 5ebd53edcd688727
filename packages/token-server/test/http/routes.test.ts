import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Server from "../Server.ts"

const start = Effect.gen(function*() {
  const upstream = yield* Server.upstream
  const server = yield* Server.start()
  const admin = yield* server.key("admin")
  const ask = (method: string, path: string, body?: unknown) => server.send({ method, path, key: admin, body })
  return { ...upstream, ...server, ask }
})

const listOf = ({ json }: Server.Answer) =>
  (json as { readonly data: { readonly list: ReadonlyArray<Record<string, unknown>>; readonly total: number } }).data

describe("the API", () => {
  it.live("leads from a realm to its tokens, and back to nothing", () =>
    Effect.gen(function*() {
      const { ask, config, values, weChat } = yield* start

      const realm = yield* ask("POST", "/api/realm", { id: "wxgzh", comment: "WeChat", config })
      assert.strictEqual(realm.status, 200, realm.text)
      assert.deepInclude(realm.json, { id: "wxgzh", comment: "WeChat", config, version: 1 })

      const secret = yield* ask("POST", "/api/secret", { realm: "wxgzh", key: "app", ...values })
      assert.strictEqual(secret.status, 200, secret.text)
      assert.deepInclude(secret.json, { realm: "wxgzh", key: "app", generation: 1 })
      assert.sameMembers(Object.keys(secret.json as object), [
        "realm",
        "key",
        "generation",
        "fingerprints",
        "created_at",
        "rotated_at"
      ])

      const token = yield* ask("GET", "/api/token?realm=wxgzh&key=app")
      const [issued] = yield* weChat.issued
      assert.match(token.text, /^\{"token":"[^"]+","expires_in":\d+,"source":"upstream"\}$/)
      assert.deepInclude(token.json, { token: issued })
      const { expires_in } = token.json as { readonly expires_in: number }
      assert.isTrue(expires_in > 7_100_000 && expires_in <= 7_200_000)
      const again = yield* ask("GET", "/api/token?realm=wxgzh&key=app&flush=false")
      assert.deepInclude(again.json, { token: issued, source: "memory" })

      const flushed = yield* ask("GET", "/api/token?realm=wxgzh&key=app&flush=true")
      const [, second] = yield* weChat.issued
      assert.deepInclude(flushed.json, { token: second, source: "upstream" })
      const old = yield* ask("POST", "/api/token/report", { realm: "wxgzh", key: "app", token: issued })
      assert.deepEqual(old.json, { outcome: "not-current" })
      const refused = yield* ask("POST", "/api/token/report", { realm: "wxgzh", key: "app", token: second })
      assert.deepEqual(refused.json, { outcome: "replaced" })
      assert.deepInclude((yield* ask("GET", "/api/token?realm=wxgzh&key=app")).json, {
        token: (yield* weChat.issued)[2]
      })

      assert.strictEqual((yield* ask("DELETE", "/api/realm/wxgzh")).status, 409)
      const removed = yield* ask("DELETE", "/api/secret/wxgzh/app")
      assert.deepEqual([removed.status, removed.text], [204, ""])
      assert.strictEqual((yield* ask("GET", "/api/token?realm=wxgzh&key=app")).status, 404)
      assert.strictEqual((yield* ask("DELETE", "/api/realm/wxgzh")).status, 204)
      assert.strictEqual((yield* ask("GET", "/api/realm/wxgzh")).status, 404)
    }).pipe(Effect.scoped))

  it.live("lets nobody replace what somebody else has changed since", () =>
    Effect.gen(function*() {
      const { ask, config, values } = yield* start
      const realm = (version: number) => ask("POST", "/api/realm", { id: "wx", config, version })
      assert.deepEqual([(yield* realm(1)).status, (yield* realm(0)).status, (yield* realm(0)).status], [409, 200, 409])
      assert.deepInclude((yield* realm(1)).json, { version: 2 })
      assert.deepInclude((yield* realm(1)).json, { code: "conflict" })

      const secret = (generation: number) =>
        ask("POST", "/api/secret", { realm: "wx", key: "app", ...values, generation })
      assert.deepEqual([(yield* secret(1)).status, (yield* secret(0)).status, (yield* secret(0)).status], [
        409,
        200,
        409
      ])
      assert.deepInclude((yield* secret(1)).json, { generation: 2 })
    }).pipe(Effect.scoped))

  it.live("lists a page at a time what a key may touch", () =>
    Effect.gen(function*() {
      const { ask, config, key, send, values } = yield* start
      for (const id of ["a1", "a2", "a3", "b1"]) {
        yield* ask("POST", "/api/realm", { id, comment: `realm ${id}`, config })
        yield* ask("POST", "/api/secret", { realm: id, key: "app", ...values })
      }
      const ids = (answer: Server.Answer) => listOf(answer).list.map(({ id, realm }) => id ?? realm)
      assert.strictEqual(listOf(yield* ask("GET", "/api/realm")).total, 4)
      const second = yield* ask("GET", "/api/realm?page=2&pageSize=3")
      assert.deepEqual([ids(second).length, listOf(second).total], [1, 4])
      assert.sameMembers(ids(yield* ask("GET", "/api/realm?keyword=realm%20a")), ["a1", "a2", "a3"])
      assert.deepEqual(ids(yield* ask("GET", "/api/realm?keyword=%25")), [])

      const some = yield* key("operator", ["a1", "b1", "gone"])
      const own = yield* send({ path: "/api/realm?pageSize=1", key: some })
      assert.deepEqual([ids(own), listOf(own).total], [["a1"], 2])
      assert.strictEqual((yield* send({ path: "/api/secret", key: some })).status, 400)
      assert.deepEqual(ids(yield* send({ path: "/api/secret?realm=b1", key: some })), ["b1"])
      assert.strictEqual(listOf(yield* ask("GET", "/api/secret")).total, 4)
      assert.isAbove(listOf(yield* ask("GET", "/api/presets")).total, 5)
    }).pipe(Effect.scoped))

  it.live("makes keys whose text is seen once, and writes down who did what without it", () =>
    Effect.gen(function*() {
      const { ask, config, send } = yield* start
      const made = yield* ask("POST", "/api/key", { name: "ci", role: "operator", realms: ["wx"] })
      const { id, key } = made.json as { readonly id: string; readonly key: string }
      assert.match(key, /^tsk_[\w-]{43}$/)
      assert.strictEqual((yield* send({ path: "/api/realm", key })).status, 200)
      const keys = yield* ask("GET", "/api/key")
      assert.notInclude(keys.text, key)
      assert.deepInclude(listOf(keys).list.find((each) => each["id"] === id), { role: "operator", realms: ["wx"] })
      assert.strictEqual((yield* ask("DELETE", `/api/key/${id}`)).status, 204)
      assert.strictEqual((yield* send({ path: "/api/realm", key })).status, 401)
      assert.strictEqual((yield* ask("POST", "/api/realm", { id: "wx", config })).status, 200)

      const trail = yield* ask("GET", "/api/audit")
      assert.deepEqual(listOf(trail).list.map(({ action, outcome }) => [action, outcome]), [
        ["realm.save", "ok"],
        ["apiKey.revoke", "ok"],
        ["apiKey.create", "ok"]
      ])
      assert.notInclude(trail.text, key)
      assert.strictEqual(listOf(yield* ask("GET", "/api/audit?action=realm.save&realm=wx")).total, 1)
      assert.strictEqual(listOf(yield* ask("GET", "/api/audit?since=2100-01-01T00:00:00Z")).total, 0)
      const past = yield* ask("POST", "/api/key", {
        name: "ci",
        role: "reader",
        realms: "*",
        expires_at: "2001-01-01T00:00:00Z"
      })
      assert.include(past.text, "{\"name\":\"expires_at\",\"rule\":\"must be in the future\"}")
    }).pipe(Effect.scoped))
})
