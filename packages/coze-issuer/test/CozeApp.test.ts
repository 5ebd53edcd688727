import { CozeApp, CozeAppConfig, CozeIssuer, type TokenRequest } from "@effect-identity/coze-issuer"
import { BearerAuth, SecureUrl, TokenCache } from "@effect-identity/oauth"
import { Answer, CozeOAuth } from "@effect-identity/testing"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Layer, Redacted, Result } from "effect"
import { FetchHttpClient, HttpClient, HttpClientResponse } from "effect/http"
import * as fc from "fast-check"
import * as jose from "jose"
import { createPrivateKey, createPublicKey } from "node:crypto"

const layer = CozeOAuth.layer()

const optionsOf = (coze: CozeOAuth.CozeOAuth["Service"]) => ({
  clientId: "loopback-app",
  keyId: "loopback-key-fingerprint",
  privateKey: coze.privateKey,
  tokenEndpoint: coze.tokenEndpoint
})

const appLayer = Layer.unwrap(
  Effect.map(CozeOAuth.CozeOAuth, (coze) =>
    CozeApp.layer.pipe(
      Layer.provide(CozeAppConfig.layer(optionsOf(coze))),
      Layer.provide(FetchHttpClient.layer),
      Layer.provideMerge(TokenCache.layerLocal())
    ))
).pipe(Layer.provideMerge(layer))

describe("CozeApp", () => {
  it.live("signs what jose verifies, for ten minutes at most, once per attempt", () =>
    Effect.gen(function*() {
      const coze = yield* CozeOAuth.CozeOAuth
      const app = yield* CozeApp.CozeApp
      yield* coze.script(Answer.json({}, { status: 500 }))
      yield* app.token({ session: "user123", sessionContext: { device_info: { device_id: "d" } } })
      const requests = yield* coze.requests
      const claims = yield* Effect.forEach(requests, ({ headers }) =>
        Effect.promise(async () => {
          const assertion = headers["authorization"]?.slice("Bearer ".length) ?? ""
          const key = createPublicKey(coze.privateKey)
          return jose.jwtVerify(assertion, key, {
            audience: "api.coze.cn",
            issuer: "loopback-app",
            algorithms: ["RS256"]
          })
        }))
      assert.strictEqual(new Set(claims.map(({ payload }) => payload.jti)).size, 2)
      for (const { payload, protectedHeader } of claims) {
        assert.deepStrictEqual(protectedHeader, { alg: "RS256", typ: "JWT", kid: "loopback-key-fingerprint" })
        assert.sameMembers(Object.keys(payload), ["iss", "aud", "iat", "exp", "jti", "session_name", "session_context"])
        assert.isAtMost((payload.exp ?? 0) - (payload.iat ?? 0), 600)
      }
      assert.deepStrictEqual(JSON.parse(requests[0]?.body ?? ""), {
        grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
        duration_seconds: 900
      })
    }).pipe(Effect.provide(appLayer)))

  it.live("is a source for whatever takes one", () =>
    Effect.gen(function*() {
      const app = yield* CozeApp.CozeApp
      const cache = yield* TokenCache.TokenCache
      const { key, token } = yield* app.source({ session: "user123" })
      const server = HttpClient.make((request) =>
        Effect.succeed(HttpClientResponse.fromWeb(request, new Response(request.headers["authorization"])))
      )
      const client = BearerAuth.apply(server, {
        origin: Result.getOrThrow(SecureUrl.parse("https://api.coze.cn")),
        tokens: BearerAuth.fromCache(cache, key, token)
      })
      const shown = yield* Effect.flatMap(client.get("https://api.coze.cn/v1/chat"), (response) => response.text)
      const held = yield* app.token({ session: "user123" })
      assert.strictEqual(shown, `Bearer ${Redacted.value(held.value)}`)
      assert.lengthOf(yield* CozeOAuth.CozeOAuth.use(({ requests }) => requests), 1)
    }).pipe(Effect.provide(appLayer)))

  it.live("asks where it is told to, per request, and refuses what it cannot sign", () =>
    Effect.gen(function*() {
      const app = yield* CozeApp.CozeApp
      const coze = yield* CozeOAuth.CozeOAuth
      for (
        const [request, path] of [
          [{}, "/token"],
          [{ accountId: "42" }, "/account/42/token"],
          [{ enterpriseId: "volcano_42" }, "/enterprise_id/volcano_42/token"]
        ] as const
      ) {
        const { value } = yield* app.token(request)
        assert.strictEqual((yield* coze.grantOf(Redacted.value(value)))?.path, `/api/permission/oauth2${path}`)
      }
      for (
        const request of [
          { durationSeconds: 0 },
          { durationSeconds: 86_400 },
          { session: "" },
          { accountId: "../x" },
          { accountId: "a", enterpriseId: "b" }
        ]
      ) {
        const error = yield* Effect.flip(app.token(request))
        assert.strictEqual(error._tag, "InvalidTokenRequest")
      }
      assert.lengthOf(yield* coze.requests, 3)
    }).pipe(Effect.provide(appLayer)))

  const arbitrary: fc.Arbitrary<TokenRequest.TokenRequest> = fc.record({
    session: fc.constantFrom(undefined, "a", "b", "a\",\"b", "[\"a\"]", "null"),
    durationSeconds: fc.constantFrom(undefined, 900, 60),
    scope: fc.constantFrom(undefined, {}, { a: 1 }, { a: "1" }, { a: [1] }, { a: { b: 1 } }),
    sessionContext: fc.constantFrom(undefined, {}, { a: 1 }),
    accountId: fc.constantFrom(undefined, "1", "2")
  })

  const normal = ({ accountId, durationSeconds = 900, scope, session, sessionContext }: TokenRequest.TokenRequest) =>
    JSON.stringify([accountId ?? null, durationSeconds, scope ?? null, session ?? null, sessionContext ?? null])

  it.live("gives two requests one key only if they are the same", () =>
    Effect.gen(function*() {
      const app = yield* CozeApp.CozeApp
      const keyOf = (request: TokenRequest.TokenRequest) => Effect.runSync(app.source(request)).key
      fc.assert(
        fc.property(arbitrary, arbitrary, (a, b) => {
          assert.strictEqual(keyOf(a) === keyOf(b), normal(a) === normal(b))
        }),
        { numRuns: 2_000 }
      )
      assert.strictEqual(keyOf({ scope: { a: 1, b: { c: 1, d: 2 } } }), keyOf({ scope: { b: { d: 2, c: 1 }, a: 1 } }))
    }).pipe(Effect.provide(appLayer)))
})

describe("CozeApp, beside other apps", () => {
  it.live("shares no key with another app, key, host or account", () =>
    Effect.gen(function*() {
      const coze = yield* CozeOAuth.CozeOAuth
      const options = optionsOf(coze)
      const configs: ReadonlyArray<CozeAppConfig.Options> = [
        options,
        { ...options, clientId: "another-app" },
        { ...options, keyId: "another-key" },
        { ...options, audience: "api.coze.com" },
        { ...options, tokenEndpoint: "https://api.coze.cn/api/permission/oauth2/token" },
        { ...options, accountId: "42" },
        { ...options, enterpriseId: "42" },
        { ...options, scope: {} },
        { ...options, durationSeconds: 60 }
      ]
      const keys = yield* Effect.forEach(configs, (config) =>
        CozeApp.CozeApp.use((app) =>
          app.source({ session: "user123" })
        ).pipe(
          Effect.map(({ key }) => key),
          Effect.provide(CozeApp.layer.pipe(
            Layer.provide(CozeAppConfig.layer(config)),
            Layer.provide(FetchHttpClient.layer),
            Layer.provide(TokenCache.layerLocal())
          ))
        ))
      assert.strictEqual(new Set(keys).size, configs.length)
    }).pipe(Effect.provide(layer)))
})

describe("CozeAppConfig", () => {
  it.live("knows the hosts of Coze, and takes an audience and an endpoint for what they imply", () =>
    Effect.gen(function*() {
      const coze = yield* CozeOAuth.CozeOAuth
      const { clientId, keyId, privateKey } = optionsOf(coze)
      for (
        const [options, audience, href] of [
          [{}, "api.coze.cn", "https://api.coze.cn/api/permission/oauth2/token"],
          [{ audience: "api.coze.com" }, "api.coze.com", "https://api.coze.com/api/permission/oauth2/token"],
          [
            { tokenEndpoint: "https://api.coze.com/api/permission/oauth2/token" },
            "api.coze.com",
            "https://api.coze.com/api/permission/oauth2/token"
          ],
          [{ tokenEndpoint: coze.tokenEndpoint }, "api.coze.cn", coze.tokenEndpoint]
        ] as const
      ) {
        const config = yield* CozeAppConfig.make({ clientId, keyId, privateKey, ...options })
        assert.deepStrictEqual([config.audience, config.tokenEndpoint.href], [audience, href])
        assert.isFalse(config.key.key.extractable)
      }
    }).pipe(Effect.provide(layer)))
})

describe("createIssuer", () => {
  it.live("gives tokens as plain values, one for all who ask, and rejects with what is wrong", () =>
    Effect.gen(function*() {
      const coze = yield* CozeOAuth.CozeOAuth
      yield* Effect.promise(async () => {
        await using issuer = await CozeIssuer.createIssuer(optionsOf(coze))
        const tokens = await Promise.all(Array.from({ length: 100 }, () => issuer.getAccessToken({ session: "a" })))
        assert.strictEqual(new Set(tokens.map(({ accessToken }) => accessToken)).size, 1)
        assert.closeTo(tokens[0]?.expiresIn ?? 0, 900, 2)
        assert.strictEqual(tokens[0]?.expiresAt.getMilliseconds(), 0)

        const nameless = await issuer.getAccessToken({ session: "" }).catch((error: unknown) => error)
        assert.include(nameless, { _tag: "InvalidTokenRequest", field: "session" })
        const aborted = await issuer.getAccessToken({ session: "b" }, { signal: AbortSignal.abort("why") })
          .catch((error: unknown) => error)
        assert.strictEqual(aborted, "why")
        assert.strictEqual((await issuer.fetch(new Request("http://x/", { method: "POST" }))).status, 401)
      })
      assert.lengthOf(yield* coze.requests, 1)
      yield* coze.script(Answer.json({ error_code: "access_deny" }))
      const failed = yield* Effect.promise(async () => {
        const issuer = await CozeIssuer.createIssuer(optionsOf(coze))
        const failed = await issuer.getAccessToken().catch((error: unknown) => error)
        await issuer.close()
        return failed
      })
      assert.include(failed, { _tag: "OAuthError", message: "jwtBearer: code access_deny (HTTP 200)" })
      const wrong = yield* Effect.promise(() =>
        CozeIssuer.createIssuer({ ...optionsOf(coze), durationSeconds: 0, callers: { apiKeys: [] } })
          .catch((error: unknown) => error)
      )
      assert.include(wrong, {
        message: "invalid configuration: durationSeconds must be a whole number from 1 to 86399"
      })
    }).pipe(Effect.provide(layer)))

  it.live("asks with the fetch it is given, for tokens and for the keys of callers", () =>
    Effect.gen(function*() {
      const { privateKey } = yield* CozeOAuth.CozeOAuth
      const jwk = { ...createPublicKey(privateKey).export({ format: "jwk" }), kid: "k", alg: "RS256" }
      const end = Math.floor((yield* Clock.currentTimeMillis) / 1000) + 900
      const asked: Array<string> = []
      const status = yield* Effect.promise(async () => {
        await using issuer = await CozeIssuer.createIssuer({
          clientId: "app",
          keyId: "k",
          privateKey,
          fetch: async (input) => {
            const url = input instanceof Request ? input.url : String(input)
            asked.push(url)
            return Response.json(url.endsWith("/keys") ? { keys: [jwk] } : { access_token: "czs_x", expires_in: end })
          },
          callers: { jwt: { issuer: "i", audience: "a", jwksUrl: "https://id.example/keys" } }
        })
        const jwt = await new jose.SignJWT({ sub: "alice" }).setProtectedHeader({ alg: "RS256", kid: "k" })
          .setIssuer("i").setAudience("a").setExpirationTime("1 minute").sign(createPrivateKey(privateKey))
        const headers = { authorization: `Bearer ${jwt}` }
        return (await issuer.fetch(new Request("https://token.example/", { method: "POST", headers }))).status
      })
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(asked, ["https://id.example/keys", "https://api.coze.cn/api/permission/oauth2/token"])
    }).pipe(Effect.provide(layer)))

  it.live("serves web requests to callers it is told of", () =>
    Effect.gen(function*() {
      const coze = yield* CozeOAuth.CozeOAuth
      const held: Array<Promise<void>> = []
      const answer = yield* Effect.promise(async () => {
        await using issuer = await CozeIssuer.createIssuer({ ...optionsOf(coze), callers: { openOnLoopback: true } })
        const request = new Request("http://localhost/", { method: "POST", headers: { "x-user-id": "a" } })
        const response = await issuer.fetch(request, { waitUntil: (work) => void held.push(work) })
        return { status: response.status, body: await response.json() }
      })
      assert.strictEqual(answer.status, 200)
      assert.strictEqual((yield* coze.grantOf(answer.body.access_token))?.sessionName, "a")
      // What others may wait for was held until it was over.
      assert.lengthOf(held, 1)
      yield* Effect.promise(() => Promise.all(held))
    }).pipe(Effect.provide(layer)))
})
