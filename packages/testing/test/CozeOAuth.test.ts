import { Answer, CozeOAuth, SecretSweep } from "@effect-identity/testing"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { generateKeyPairSync, sign } from "node:crypto"

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")

const grantType = "urn:ietf:params:oauth:grant-type:jwt-bearer"

interface Changes {
  readonly header?: Readonly<Record<string, unknown>>
  readonly claims?: Readonly<Record<string, unknown>>
  readonly key?: string
}

const assertionFor = (coze: CozeOAuth.CozeOAuth["Service"], { claims, header, key }: Changes = {}) =>
  Effect.map(Clock.currentTimeMillis, (millis) => {
    const now = Math.floor(millis / 1000)
    const signed = `${encode({ alg: "RS256", typ: "JWT", kid: coze.env["KID"], ...header })}.${
      encode({
        iss: coze.env["CLIENT_ID"],
        aud: coze.audience,
        iat: now,
        exp: now + 600,
        jti: Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url"),
        ...claims
      })
    }`
    return `${signed}.${sign("sha256", Buffer.from(signed), key ?? coze.privateKey).toString("base64url")}`
  })

const ask = (url: string, assertion: string, body: unknown = { grant_type: grantType }) =>
  Effect.promise(async () => {
    const response = await fetch(url, {
      method: "POST",
      headers: { authorization: `Bearer ${assertion}`, "content-type": "application/json" },
      body: JSON.stringify(body)
    })
    return { status: response.status, logId: response.headers.get("x-tt-logid"), body: await response.json() }
  })

const stranger = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey
  .export({ type: "pkcs8", format: "pem" }).toString()

const layer = CozeOAuth.layer()

describe("CozeOAuth", () => {
  it.live("trades an assertion for a token that ends at a Unix time, and knows what it was given for", () =>
    Effect.gen(function*() {
      const coze = yield* CozeOAuth.CozeOAuth
      const now = Math.floor((yield* Clock.currentTimeMillis) / 1000)
      const assertion = yield* assertionFor(coze, { claims: { session_name: "alice" } })
      const { body, logId, status } = yield* ask(coze.tokenEndpoint, assertion, {
        grant_type: grantType,
        duration_seconds: 60,
        scope: { account_permission: { permission_list: ["Connector.botChat"] } }
      })
      assert.strictEqual(status, 200)
      assert.strictEqual(logId, "loopback-log-0")
      assert.closeTo(body.expires_in, now + 60, 10)
      const grant = yield* coze.grantOf(body.access_token)
      assert.deepStrictEqual(grant, {
        path: "/api/permission/oauth2/token",
        durationSeconds: 60,
        scope: { account_permission: { permission_list: ["Connector.botChat"] } },
        sessionName: "alice",
        sessionContext: undefined
      })
    }).pipe(Effect.provide(layer)))

  it.live("has an address for another account and one for an enterprise", () =>
    Effect.gen(function*() {
      const coze = yield* CozeOAuth.CozeOAuth
      for (const [variant, status] of [["account/42/", 200], ["enterprise_id/volcano_42/", 200]] as const) {
        const url = coze.tokenEndpoint.replace(/token$/, `${variant}token`)
        assert.strictEqual((yield* ask(url, yield* assertionFor(coze))).status, status)
      }
      const response = yield* Effect.promise(() => fetch(`${coze.tokenEndpoint}/else`, { method: "POST" }))
      assert.strictEqual(response.status, 404)
    }).pipe(Effect.provide(layer)))

  it.live("takes an assertion but once", () =>
    Effect.gen(function*() {
      const coze = yield* CozeOAuth.CozeOAuth
      const assertion = yield* assertionFor(coze)
      assert.strictEqual((yield* ask(coze.tokenEndpoint, assertion)).status, 200)
      const again = yield* ask(coze.tokenEndpoint, assertion)
      assert.deepStrictEqual(
        [again.status, again.body.error_code, again.body.error_message],
        [401, "invalid_client", "invalid jwt: jti was used before"]
      )
    }).pipe(Effect.provide(layer)))

  const wrong: ReadonlyArray<readonly [what: string, changes: Changes]> = [
    ["alg none", { header: { alg: "none" } }],
    ["an unknown kid", { header: { kid: "other" } }],
    ["someone else's signature", { key: stranger }],
    ["another app", { claims: { iss: "other" } }],
    ["another audience", { claims: { aud: "api.coze.com" } }],
    ["its end in the past", { claims: { iat: 1, exp: 2 } }],
    ["its begin in the future", { claims: { iat: 4e9, exp: 5e9 } }],
    ["no exp", { claims: { exp: undefined } }],
    ["a short jti", { claims: { jti: "short" } }]
  ]

  for (const [what, changes] of wrong) {
    it.live(`does not believe an assertion with ${what}`, () =>
      Effect.gen(function*() {
        const coze = yield* CozeOAuth.CozeOAuth
        const { body, status } = yield* ask(coze.tokenEndpoint, yield* assertionFor(coze, changes))
        assert.deepStrictEqual([status, body.error_code], [401, "invalid_client"])
      }).pipe(Effect.provide(layer)))
  }

  for (
    const body of [
      {},
      { grant_type: "x" },
      ...[0, 86_400, 1.5, "900"].map((duration_seconds) => ({
        grant_type: grantType,
        duration_seconds
      }))
    ]
  ) {
    it.live(`refuses the body ${JSON.stringify(body)}`, () =>
      Effect.gen(function*() {
        const coze = yield* CozeOAuth.CozeOAuth
        const answer = yield* ask(coze.tokenEndpoint, yield* assertionFor(coze), body)
        assert.deepStrictEqual([answer.status, answer.body.error_code], [400, "invalid_request"])
      }).pipe(Effect.provide(layer)))
  }

  it.live("gives scripted answers once each, then behaves again, and shows no key", () =>
    Effect.gen(function*() {
      const coze = yield* CozeOAuth.CozeOAuth
      yield* coze.script(Answer.json({ code: 4000 }), Answer.refusal("access_deny", { status: 403 }))
      const statuses = yield* Effect.forEach([1, 2, 3], () =>
        Effect.flatMap(assertionFor(coze), (assertion) => ask(coze.tokenEndpoint, assertion)))
      assert.deepStrictEqual(
        statuses.map(({ status }) =>
          status
        ),
        [200, 403, 200]
      )
      assert.deepStrictEqual(SecretSweep.find(statuses, { key: coze.privateKey.slice(100, 200) }), [])
    }).pipe(Effect.provide(layer)))
})
