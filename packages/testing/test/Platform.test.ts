import { Answer, Platform, SecretSweep } from "@effect-identity/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"

const post = (url: string, form: Record<string, string>) =>
  Effect.promise(() => fetch(url, { method: "POST", body: new URLSearchParams(form) })).pipe(
    Effect.flatMap((response) =>
      Effect.map(Effect.promise(() => response.json()), (body) => ({ status: response.status, body }))
    )
  )

const credentials = {
  client_id: "loopback-client",
  client_secret: "loopback-client-secret",
  grant_type: "client_credentials"
}

const exchange = (subjectToken: string) => ({
  client_id: "loopback-client",
  subject_token: subjectToken,
  subject_token_type: "urn:ietf:params:oauth:token-type:id_token",
  grant_type: "urn:ietf:params:oauth:grant-type:token-exchange"
})

describe("Platform", () => {
  for (const endpoints of ["one", "two"] as const) {
    it.live(`trades credentials for an id token and that for an access token (${endpoints})`, () =>
      Effect.gen(function*() {
        const platform = yield* Platform.Platform
        const first = yield* post(platform.idTokenEndpoint, credentials)
        assert.strictEqual(first.status, 200)
        const second = yield* post(platform.accessTokenEndpoint, exchange(first.body.access_token))
        assert.strictEqual(second.status, 200)
        assert.strictEqual(second.body.expires_in, 90)
        assert.strictEqual(platform.idTokenEndpoint === platform.accessTokenEndpoint, endpoints === "one")
      }).pipe(Effect.provide(Platform.layer({ endpoints, lifetime: "90 seconds" }))))
  }

  it.live("believes neither a wrong secret nor an id token it did not give", () =>
    Effect.gen(function*() {
      const platform = yield* Platform.Platform
      const wrong = yield* post(platform.idTokenEndpoint, { ...credentials, client_secret: "x" })
      assert.deepStrictEqual([wrong.status, wrong.body.error], [401, "invalid_client"])
      const forged = yield* post(platform.accessTokenEndpoint, exchange("forged"))
      assert.deepStrictEqual([forged.status, forged.body.error], [400, "invalid_grant"])
      const other = yield* post(platform.idTokenEndpoint, { ...credentials, grant_type: "password" })
      assert.deepStrictEqual([other.status, other.body.error], [400, "unsupported_grant_type"])
    }).pipe(Effect.provide(Platform.layer())))

  it.live("logs what arrived, in order, with its outcome", () =>
    Effect.gen(function*() {
      const platform = yield* Platform.Platform
      yield* post(platform.idTokenEndpoint, credentials)
      const [request] = yield* platform.requestsUntil(([request]) => request?.outcome === "answered")
      assert.strictEqual(request?.step, "idToken")
      assert.deepStrictEqual(request?.form, Object.entries(credentials))
      assert.strictEqual(request?.headers["content-type"], "application/x-www-form-urlencoded;charset=UTF-8")
    }).pipe(Effect.provide(Platform.layer())))

  it.live("gives scripted answers once each, in order, then behaves again", () =>
    Effect.gen(function*() {
      const platform = yield* Platform.Platform
      yield* platform.script("idToken", Answer.json({ nth: 1 }), Answer.json({ nth: 2 }, { status: 503 }))
      const statuses = yield* Effect.forEach([1, 2, 3], () => post(platform.idTokenEndpoint, credentials))
      assert.deepStrictEqual(statuses.map(({ status }) => status), [200, 503, 200])
      assert.deepStrictEqual(statuses.slice(0, 2).map(({ body }) => body), [{ nth: 1 }, { nth: 2 }])
    }).pipe(Effect.provide(Platform.layer())))

  it.live("fails the test when a scripted answer was never asked for", () =>
    Effect.gen(function*() {
      const exit = yield* Platform.Platform.use((platform) => platform.script("accessToken", Answer.hang)).pipe(
        Effect.provide(Platform.layer()),
        Effect.exit
      )
      assert.isTrue(Exit.isFailure(exit))
      assert.match(String(exit), /left over: 1 for accessToken/)
    }))
})

describe("Platform, outbound", () => {
  const variables = [{ key: "A", value: "1" }, { key: "A", value: "2" }]
  const layer = Platform.layer({ credentials: { mail: "s3cret" }, variables })

  const call = (url: string, token: string, body?: unknown) =>
    Effect.promise(async () => {
      const method = body === undefined ? "GET" : "POST"
      const headers = { authorization: `Bearer ${token}` }
      const response = await fetch(url, { method, headers, body: body === undefined ? null : JSON.stringify(body) })
      return { status: response.status, body: await response.json() }
    })

  const getToken = Effect.gen(function*() {
    const platform = yield* Platform.Platform
    const first = yield* post(platform.idTokenEndpoint, credentials)
    return (yield* post(platform.accessTokenEndpoint, exchange(first.body.access_token))).body.access_token
  })

  it.live("gives credentials and variables to whoever shows a token that is valid", () =>
    Effect.gen(function*() {
      const { outboundEndpoint, revokeTokens } = yield* Platform.Platform
      const token = yield* getToken
      const credential = yield* call(`${outboundEndpoint}/integration`, token, { integration_name: "mail" })
      assert.deepStrictEqual(credential.body.data, { credential: "s3cret" })
      const missing = yield* call(`${outboundEndpoint}/integration`, token, { integration_name: "other" })
      assert.strictEqual(missing.body.code, 1001)
      assert.deepStrictEqual((yield* call(`${outboundEndpoint}/env`, token)).body.data, { secrets: variables })

      yield* revokeTokens
      assert.strictEqual((yield* call(`${outboundEndpoint}/env`, token)).status, 401)
      assert.strictEqual((yield* call(`${outboundEndpoint}/env`, yield* getToken)).status, 200)
    }).pipe(Effect.provide(layer)))
})

describe("SecretSweep", () => {
  const secret = "hunter2/hunter2+ä"
  const spellings = {
    raw: secret,
    part: secret.slice(2, 15),
    base64: Buffer.from(secret).toString("base64"),
    hex: Buffer.from(secret).toString("hex"),
    url: encodeURIComponent(secret),
    json: JSON.stringify({ secret })
  }

  for (const [name, text] of Object.entries(spellings)) {
    it(`finds a secret spelt ${name}, wherever it hides`, () => {
      assert.isNotEmpty(SecretSweep.find(text, { secret }))
      assert.isNotEmpty(SecretSweep.find(new Error("x", { cause: { deep: [{ text }] } }), { secret }))
      assert.isNotEmpty(SecretSweep.find({ a: { b: { c: [text] } } }, { secret }))
    })
  }

  it("finds nothing where there is nothing", () => {
    assert.deepStrictEqual(SecretSweep.find(new Error("refused"), { secret }), [])
    assert.deepStrictEqual(SecretSweep.find({ hunter: 2 }, { secret }), [])
  })
})
