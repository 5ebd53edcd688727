import { Answer, GitHub } from "@effect-identity/testing"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { createSign } from "node:crypto"

const segment = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url")

const sign = (claims: object, privateKey: string) => {
  const signed = `${segment({ alg: "RS256", typ: "JWT" })}.${segment(claims)}`
  return `${signed}.${createSign("sha256").update(signed).sign(privateKey, "base64url")}`
}

const post = (url: string, jwt: string) =>
  Effect.promise(async () => {
    const response = await fetch(url, { method: "POST", headers: { authorization: `Bearer ${jwt}` } })
    return { status: response.status, body: await response.json() }
  })

describe("GitHub", () => {
  it.live("gives the token of an installation for a JWT of the app, and says what is wrong with another", () =>
    Effect.gen(function*() {
      const gitHub = yield* GitHub.GitHub
      const url = `${gitHub.origin}/app/installations/${gitHub.installationId}/access_tokens`
      const now = Math.floor((yield* Clock.currentTimeMillis) / 1000)
      const claims = { iss: gitHub.appId, iat: now - 60, exp: now + 540 }
      const given = yield* post(url, sign(claims, gitHub.privateKey))
      assert.strictEqual(given.status, 201)
      assert.match(given.body.token, /^ghs_/)
      assert.match(given.body.expires_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
      for (const change of [{ iss: "other" }, { iat: now + 90 }, { exp: now - 1 }, { exp: now + 700 }]) {
        assert.strictEqual((yield* post(url, sign({ ...claims, ...change }, gitHub.privateKey))).status, 401)
      }
      assert.strictEqual((yield* post(url, `${sign(claims, gitHub.privateKey).slice(0, -8)}AAAAAAAA`)).status, 401)
      const elsewhere = url.replace(gitHub.installationId, "1")
      assert.strictEqual((yield* post(elsewhere, sign(claims, gitHub.privateKey))).status, 404)
      yield* gitHub.script(Answer.json({}, { status: 503 }))
      assert.strictEqual((yield* post(url, "")).status, 503)
      assert.lengthOf(yield* gitHub.requests, 8)
    }).pipe(Effect.provide(GitHub.layer)))
})
