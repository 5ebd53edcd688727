import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Server from "../Server.ts"

const config = {
  url: "https://api.weixin.qq.com/cgi-bin/token",
  method: "GET",
  arguments: [{ name: "appid", place: "url", value: "$key_1" }, { name: "secret", place: "url", value: "$key_2" }],
  token_path: "access_token",
  content_type: "json",
  expires_in_path: "expires_in"
}

describe("the API", () => {
  it.live("leads from a realm to its tokens, and back to nothing", () =>
    Effect.gen(function*() {
      const { key, send } = yield* Server.start()
      const admin = yield* key("admin")
      const ask = (method: string, path: string, body?: unknown) => send({ method, path, key: admin, body })

      const realm = yield* ask("POST", "/api/realm", { id: "wxgzh", config })
      assert.strictEqual(realm.status, 200, realm.text)
      assert.deepInclude(realm.json, { id: "wxgzh", comment: "", config, version: 1 })

      const secret = yield* ask("POST", "/api/secret", { realm: "wxgzh", key: "app", key_1: "id", key_2: "hunter2" })
      assert.strictEqual(secret.status, 200, secret.text)
      assert.deepInclude(secret.json, { realm: "wxgzh", key: "app", generation: 1 })
      assert.notInclude(secret.text, "hunter2")

      const token = yield* ask("GET", "/api/token?realm=wxgzh&key=app")
      assert.strictEqual(token.text, "{\"token\":\"token-of-app\",\"expires_in\":3600000,\"source\":\"upstream\"}")
      const again = yield* ask("GET", "/api/token?realm=wxgzh&key=app&flush=false")
      assert.strictEqual(again.text, "{\"token\":\"token-of-app\",\"expires_in\":3600000,\"source\":\"memory\"}")

      const list = yield* ask("GET", "/api/secret?realm=wxgzh")
      assert.deepInclude(list.json, { success: "ok" })

      const removed = yield* ask("DELETE", "/api/secret/wxgzh/app")
      assert.deepEqual([removed.status, removed.text], [204, ""])
      const gone = yield* ask("GET", "/api/token?realm=wxgzh&key=app&min_ttl=1")
      assert.strictEqual(gone.status, 404, gone.text)
      assert.strictEqual(gone.headers["content-type"], "application/problem+json")
    }))
})
