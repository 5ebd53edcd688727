import { Instant } from "@effect-identity/oauth"
import { CognitoApi, CozeOAuth, GitHub, Platform, WeChat } from "@effect-identity/testing"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Redacted } from "effect"
import * as Asking from "./Asking.ts"

const weChatValues = ["loopback-appid", "loopback-appsecret"]

describe("presets", () => {
  it.live("wecom: the token of an app, the same one while it lives", () =>
    Effect.gen(function*() {
      const weChat = yield* WeChat.WeChat
      const realm = Asking.realmOf({ preset: "wecom", url: weChat.weComTokenUrl })
      const first = yield* Asking.obtain(realm, weChatValues)
      assert.strictEqual(Duration.toSeconds(first.lifetime), 7200)
      assert.isTrue(yield* weChat.isGood(Redacted.value(first.value)))
      const [request] = yield* weChat.requests
      assert.deepInclude(request, {
        method: "GET",
        path: "/cgi-bin/gettoken?corpid=loopback-appid&corpsecret=loopback-appsecret",
        body: ""
      })
    }).pipe(Effect.provide([Asking.layer, WeChat.layer()])))

  it.live("wecom, as the config of the server before had it", () =>
    Effect.gen(function*() {
      const weChat = yield* WeChat.WeChat
      const realm = Asking.realmOf({
        url: weChat.weComTokenUrl,
        method: "GET",
        arguments: [
          { name: "corpid", place: "url", value: "$key_1" },
          { name: "corpsecret", place: "url", value: "$key_2" }
        ],
        token_path: "access_token",
        content_type: "json",
        expires_in_path: "expires_in"
      })
      const { value } = yield* Asking.obtain(realm, weChatValues)
      assert.isTrue(yield* weChat.isGood(Redacted.value(value)))
    }).pipe(Effect.provide([Asking.layer, WeChat.layer()])))

  it.live("wechat: a new token each time, and a refusal under HTTP 200 is one", () =>
    Effect.gen(function*() {
      const weChat = yield* WeChat.WeChat
      const realm = Asking.realmOf({ preset: "wechat", url: weChat.tokenUrl })
      assert.strictEqual(Duration.toMinutes(realm.overlap ?? 0), 5)
      const first = yield* Asking.obtain(realm, weChatValues)
      const second = yield* Asking.obtain(realm, weChatValues)
      assert.notStrictEqual(Redacted.value(first.value), Redacted.value(second.value))
      const wrong = yield* Effect.flip(Asking.obtain(realm, ["loopback-appid", "wrong"]))
      assert(wrong !== "superseded" && wrong.reason._tag === "Refused")
      assert.deepInclude(wrong.reason, { status: 200, code: "40125", isRetryable: false })
      yield* weChat.script("token", WeChat.refusal(-1, "system error"))
      const busy = yield* Effect.flip(Asking.obtain(realm, weChatValues))
      assert(busy !== "superseded" && busy.reason._tag === "Refused")
      assert.deepInclude(busy.reason, { code: "-1", isRetryable: true })
    }).pipe(Effect.provide([Asking.layer, WeChat.layer()])))

  it.live("wechat_stable: the same token again, and another one when that is of no use", () =>
    Effect.gen(function*() {
      const weChat = yield* WeChat.WeChat
      const realm = Asking.realmOf({ preset: "wechat_stable", url: weChat.stableTokenUrl })
      const first = yield* Asking.obtain(realm, weChatValues)
      const again = yield* Asking.obtain(realm, weChatValues)
      assert.strictEqual(Redacted.value(first.value), Redacted.value(again.value))
      const forced = yield* Asking.obtain(realm, weChatValues, { isForced: true })
      assert.notStrictEqual(Redacted.value(first.value), Redacted.value(forced.value))
      const bodies = (yield* weChat.requests).map(({ body }): unknown => JSON.parse(body))
      const plain = { grant_type: "client_credential", appid: "loopback-appid", secret: "loopback-appsecret" }
      assert.deepStrictEqual(bodies, [plain, plain, { ...plain, force_refresh: true }])
    }).pipe(Effect.provide([Asking.layer, WeChat.layer()])))

  it.live("client_credentials: in the body, or form-encoded in a Basic header", () =>
    Effect.gen(function*() {
      const api = yield* CognitoApi.CognitoApi
      const config = { preset: "client_credentials", url: api.tokenEndpoint }
      const basic = { method: "client_secret_basic", client_id: "$key_1", client_secret: "$key_2" }
      const scope = { name: "scope", place: "body", value: "wallets/read" }
      const values = ["app", "s:cret+ä/%"]
      for (
        const realm of [
          Asking.realmOf(config),
          Asking.realmOf({ ...config, client_authentication: basic, arguments: [scope] })
        ]
      ) {
        const { lifetime } = yield* Asking.obtain(realm, values)
        assert.strictEqual(Duration.toSeconds(lifetime), 3600)
      }
      const [posted, header] = yield* api.requests
      assert.deepStrictEqual(posted?.form, [
        ["grant_type", "client_credentials"],
        ["client_id", "app"],
        ["client_secret", "s:cret+ä/%"]
      ])
      assert.deepStrictEqual(header?.form, [["grant_type", "client_credentials"], ["scope", "wallets/read"]])
      assert.strictEqual(
        header?.headers["authorization"],
        `Basic ${Buffer.from("app:s%3Acret%2B%C3%A4%2F%25").toString("base64")}`
      )
      const refused = yield* Effect.flip(Asking.obtain(Asking.realmOf(config), ["app", "wrong"]))
      assert(refused !== "superseded" && refused.reason._tag === "Refused")
      assert.deepInclude(refused.reason, { status: 400, code: "invalid_client" })
    }).pipe(Effect.provide([Asking.layer, CognitoApi.layer({ clientId: "app", clientSecret: "s:cret+ä/%" })])))

  it.live("coze_workload: an id token first, which is traded", () =>
    Effect.gen(function*() {
      const platform = yield* Platform.Platform
      const realm = Asking.realmOf({
        preset: "coze_workload",
        url: platform.idTokenEndpoint,
        token_exchange: { url: platform.accessTokenEndpoint, client_id: "$key_1" }
      })
      const seen: Array<string> = []
      const beforeSend = Effect.map(platform.requests, (requests) => {
        seen.push(...requests.map(({ step }) => step))
      })
      const { value } = yield* Asking.obtain(realm, ["loopback-client", "loopback-client-secret"], { beforeSend })
      assert.match(Redacted.value(value), /^access-token-/)
      assert.deepStrictEqual(seen, ["idToken"])
      assert.deepStrictEqual((yield* platform.requests).map(({ step }) => step), ["idToken", "accessToken"])
    }).pipe(Effect.provide([Asking.layer, Platform.layer({ endpoints: "two" })])))

  it.live("coze_jwt: a signed assertion, and an end in Unix time", () =>
    Effect.gen(function*() {
      const coze = yield* CozeOAuth.CozeOAuth
      const realm = Asking.realmOf({
        preset: "coze_jwt",
        url: coze.tokenEndpoint,
        arguments: [{ name: "duration_seconds", place: "body", value: 1800 }]
      })
      const { CLIENT_ID = "", KID = "" } = coze.env
      const values = [CLIENT_ID, KID, coze.privateKey]
      const { lifetime, requestedAt, value } = yield* Asking.obtain(realm, values)
      const end = requestedAt.wall + Duration.toMillis(lifetime)
      assert.strictEqual(end % 1000, 0)
      // Its life began when the issuer issued it, which is after it was asked for.
      assert.isAtMost(end, (yield* Instant.now).wall + 1_800_000)
      assert.isAbove(end, requestedAt.wall + 1_790_000)
      assert.deepInclude(yield* coze.grantOf(Redacted.value(value)), { durationSeconds: 1800 })
      yield* Asking.obtain(realm, values)
      const unknown = yield* Effect.flip(Asking.obtain(realm, [CLIENT_ID, "other", coze.privateKey]))
      assert(unknown !== "superseded" && unknown.reason._tag === "Refused")
      assert.deepInclude(unknown.reason, { status: 401, code: "invalid_client" })
      const broken = yield* Effect.flip(Asking.obtain(realm, [CLIENT_ID, KID, "no key"]))
      assert(broken !== "superseded")
      assert.deepInclude(broken.reason, { _tag: "Unusable", detail: "secret" })
      assert.strictEqual(broken.requestId, undefined)
      assert.match(unknown.requestId ?? "", /^loopback-log-/)
    }).pipe(Effect.provide([Asking.layer, CozeOAuth.layer()])))

  it.live("github_app: a JWT from a minute ago, for the token of an installation", () =>
    Effect.gen(function*() {
      const gitHub = yield* GitHub.GitHub
      const realm = Asking.realmOf({
        preset: "github_app",
        url: `${gitHub.origin}/app/installations/{installation}/access_tokens`
      })
      const { lifetime, value } = yield* Asking.obtain(realm, [
        gitHub.appId,
        gitHub.installationId,
        gitHub.privateKey
      ])
      assert.match(Redacted.value(value), /^ghs_/)
      assert.isAbove(Duration.toMinutes(lifetime), 59)
      const elsewhere = yield* Effect.flip(Asking.obtain(realm, [gitHub.appId, "../../user", gitHub.privateKey]))
      assert(elsewhere !== "superseded")
      assert.deepInclude(elsewhere.reason, { _tag: "Status", status: 404 })
      const paths = (yield* gitHub.requests).map(({ path }) => path)
      assert.deepStrictEqual(paths, [
        `/app/installations/${gitHub.installationId}/access_tokens`,
        "/app/installations/%2E%2E%2F%2E%2E%2Fuser/access_tokens"
      ])
    }).pipe(Effect.provide([Asking.layer, GitHub.layer])))

  it.live("fixed: the token of the secret, and no request", () =>
    Effect.gen(function*() {
      const realm = Asking.realmOf({ preset: "fixed", expires_in: 60 })
      const { lifetime, value } = yield* Asking.obtain(realm, ["never-changes"])
      assert.strictEqual(Redacted.value(value), "never-changes")
      assert.strictEqual(Duration.toSeconds(lifetime), 60)
      assert.strictEqual(
        yield* Effect.flip(Asking.obtain(realm, ["x"], { beforeSend: Effect.fail("superseded") })),
        "superseded"
      )
    }).pipe(Effect.provide(Asking.layer)))
})
