import { Answer, CognitoApi } from "@effect-identity/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"

const post = (url: string, form: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>> = {}) =>
  Effect.promise(async () => {
    const response = await fetch(url, { method: "POST", headers, body: new URLSearchParams(form) })
    return { status: response.status, body: await response.json() }
  })

const get = (url: string, token: string) =>
  Effect.promise(async () => {
    const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } })
    return { status: response.status, headers: response.headers, body: await response.json() }
  })

const credentials = { client_id: "app", client_secret: "s:cret+ä" }
const basic = `Basic ${Buffer.from("app:s%3Acret%2B%C3%A4").toString("base64")}`
const grant = { grant_type: "client_credentials" }

describe("CognitoApi", () => {
  it.live("gives tokens as Cognito does, to both ways of saying who one is, and refuses under 400", () =>
    Effect.gen(function*() {
      const { tokenEndpoint } = yield* CognitoApi.CognitoApi
      for (
        const answer of [
          yield* post(tokenEndpoint, { ...credentials, ...grant }),
          yield* post(tokenEndpoint, { ...grant, scope: "wallets/read" }, { authorization: basic })
        ]
      ) {
        assert.strictEqual(answer.status, 200)
        assert.deepInclude(answer.body, { expires_in: 3600, token_type: "Bearer" })
      }
      for (
        const [form, error] of [
          [{ ...credentials, ...grant, client_secret: "wrong" }, "invalid_client"],
          [grant, "invalid_client"],
          [{ ...credentials, ...grant, scope: "admin" }, "invalid_scope"],
          [credentials, "unsupported_grant_type"]
        ] as const
      ) {
        assert.deepStrictEqual(yield* post(tokenEndpoint, form), { status: 400, body: { error } })
      }
    }).pipe(Effect.provide(CognitoApi.layer({ clientId: "app", clientSecret: "s:cret+ä" }))))

  it.live("gives resources as A55 does, to whoever shows a token that is valid, so often in a minute", () =>
    Effect.gen(function*() {
      const api = yield* CognitoApi.CognitoApi
      const form = { client_id: api.clientId, client_secret: api.clientSecret, ...grant }
      const { body } = yield* post(api.tokenEndpoint, form)
      const wallets = yield* get(`${api.baseUrl}/wallets`, body.access_token)
      assert.deepStrictEqual([wallets.status, wallets.body.wallets.length], [200, 1])
      assert.strictEqual(wallets.headers.get("x-ratelimit-remaining"), "1")
      assert.strictEqual((yield* get(`${api.baseUrl}/nothing`, body.access_token)).status, 404)
      const late = yield* get(`${api.baseUrl}/wallets`, body.access_token)
      assert.strictEqual(late.status, 429)
      assert.match(late.headers.get("retry-after") ?? "", /^\d+$/)
      assert.strictEqual(late.body.error.code, "rate_limit_exceeded")
      yield* api.revokeTokens
      const refused = yield* get(`${api.baseUrl}/wallets`, body.access_token)
      assert.deepStrictEqual([refused.status, refused.body.error.code], [401, "unauthorized"])
      yield* api.script("resource", Answer.json({ scripted: true }))
      assert.deepStrictEqual((yield* get(`${api.baseUrl}/wallets`, "none")).body, { scripted: true })
      assert.deepStrictEqual((yield* api.requests).map(({ step }) => step), [
        "token",
        ...Array.from({ length: 5 }, () => "resource" as const)
      ])
    }).pipe(Effect.provide(CognitoApi.layer({ limit: 2 }))))
})
