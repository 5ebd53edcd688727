import { Answer, WeChat } from "@effect-identity/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"

const get = (url: string, query: Readonly<Record<string, string>>) =>
  Effect.promise(async () => (await fetch(`${url}?${new URLSearchParams(query)}`)).json())

const post = (url: string, body: object) =>
  Effect.promise(async () => (await fetch(url, { method: "POST", body: JSON.stringify(body) })).json())

const grant = { grant_type: "client_credential", appid: "loopback-appid", secret: "loopback-appsecret" }

describe("WeChat", () => {
  it.live("gives a new token each time, which ends the one before after the overlap", () =>
    Effect.gen(function*() {
      const weChat = yield* WeChat.WeChat
      const first = yield* get(weChat.tokenUrl, grant)
      assert.strictEqual(first.expires_in, 7200)
      const second = yield* get(weChat.tokenUrl, grant)
      assert.notStrictEqual(second.access_token, first.access_token)
      assert.isTrue(yield* weChat.isGood(first.access_token))
      yield* weChat.behave({ overlap: 0 })
      const third = yield* get(weChat.tokenUrl, grant)
      assert.isFalse(yield* weChat.isGood(second.access_token))
      assert.deepInclude(yield* get(weChat.apiUrl, { access_token: second.access_token }), { errcode: 40_001 })
      assert.deepStrictEqual(yield* get(weChat.apiUrl, { access_token: third.access_token }), {
        ip_list: ["127.0.0.1"]
      })
      assert.lengthOf(yield* weChat.issued, 3)
    }).pipe(Effect.provide(WeChat.layer())))

  it.live("gives the stable token again, unless it is forced, and that of WeCom while it lives", () =>
    Effect.gen(function*() {
      const weChat = yield* WeChat.WeChat
      const first = yield* post(weChat.stableTokenUrl, grant)
      assert.strictEqual((yield* post(weChat.stableTokenUrl, grant)).access_token, first.access_token)
      const forced = yield* post(weChat.stableTokenUrl, { ...grant, force_refresh: true })
      assert.notStrictEqual(forced.access_token, first.access_token)
      assert.isFalse(yield* weChat.isGood(first.access_token))
      const weCom = { corpid: weChat.appId, corpsecret: weChat.appSecret }
      const told = yield* get(weChat.weComTokenUrl, weCom)
      assert.deepInclude(told, { errcode: 0, errmsg: "ok" })
      assert.strictEqual((yield* get(weChat.weComTokenUrl, weCom)).access_token, told.access_token)
    }).pipe(Effect.provide(WeChat.layer())))

  it.live("says no in errcode, and can be told what to answer", () =>
    Effect.gen(function*() {
      const weChat = yield* WeChat.WeChat
      const errcode = (change: object) =>
        Effect.map(get(weChat.tokenUrl, { ...grant, ...change }), (told) => told.errcode)
      assert.strictEqual(yield* errcode({ appid: "other" }), 40_013)
      assert.strictEqual(yield* errcode({ secret: "wrong" }), 40_125)
      assert.strictEqual(yield* errcode({ grant_type: "other" }), 40_002)
      yield* weChat.script("token", WeChat.refusal(-1, "system error"), Answer.json({}))
      assert.strictEqual(yield* errcode({}), -1)
      assert.deepStrictEqual(yield* get(weChat.tokenUrl, grant), {})
      yield* weChat.behave({ quota: 0 })
      assert.strictEqual(yield* errcode({}), 45_009)
      const [first] = yield* weChat.requests
      assert.deepInclude(first, { step: "token", method: "GET" })
    }).pipe(Effect.provide(WeChat.layer())))
})
