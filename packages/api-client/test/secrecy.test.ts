/**
 * The client secret and the tokens, looked for in everything a client shows when things go wrong.
 */
import { createApiClient } from "@effect-identity/api-client/promise"
import { Retry } from "@effect-identity/oauth"
import { Answer, CognitoApi, SecretSweep } from "@effect-identity/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Metric, Schema } from "effect"
import { onSocket } from "./Fixture.ts"

const clientSecret = "sweep-client-secret-/+&%ä-51d2"

const shown = <A, E>(effect: Effect.Effect<A, E>) => Effect.map(SecretSweep.watch(effect), ({ shown }) => shown)

const echo = (text: string): ReadonlyArray<Answer.Answer> => [
  Answer.json({ error: { code: text, message: `no ${text}`, details: [text, { field: text, message: text }] } }, {
    status: 422
  }),
  Answer.refusal(text, { status: 400, description: `no ${text}` }),
  Answer.json({ errors: [{ code: text, title: text }], request_id: text }, { status: 500 }),
  Answer.body(text, {
    status: 401,
    headers: { "www-authenticate": `Bearer error="${text.replaceAll(/[^\w-]/g, "")}"` }
  }),
  Answer.body(text),
  Answer.json({ [text]: text }),
  Answer.body(`<p>${text}`, { contentType: "text/html" }),
  Answer.json({ a: 1 }, { status: 429, headers: { "x-request-id": "r" } }),
  Answer.redirect(`http://127.0.0.1:1/?${encodeURIComponent(text)}`),
  Answer.stall(text, { headers: { "content-length": "100000" } })
]

describe("the secret sweep", () => {
  for (const clientAuth of ["client_secret_post", "client_secret_basic"] as const) {
    it.live(`finds nothing in whatever a client by ${clientAuth} shows`, () =>
      Effect.gen(function*() {
        const everything: Array<unknown> = []
        const secrets: Record<string, string> = { clientSecret }
        const { api } = yield* onSocket()

        const tokenOf = Effect.map(
          api.requests,
          (requests) => requests.findLast(({ step }) => step === "resource")?.headers["authorization"]?.slice(7) ?? ""
        )
        for (let nth = 0; nth < echo("").length * 2; nth++) {
          // One each, so that no answer is remembered.
          const { client } = yield* onSocket({ clientAuth, timeout: "600 millis" })
          yield* client.get("/wallets", { timeout: "20 seconds" })
          const token = yield* tokenOf
          secrets[`token${nth}`] = token
          const answer = echo(nth % 2 === 0 ? clientSecret : token)[Math.floor(nth / 2)] ?? Answer.body("")
          yield* api.script("resource", answer)
          const call = client.get("/w", { schema: Schema.Record(Schema.String, Schema.Int) })
          everything.push(yield* shown(Retry.once(call)), client)
        }
        for (const answer of echo(clientSecret)) {
          yield* api.script("token", answer)
          const { client } = yield* onSocket({ clientAuth, timeout: "600 millis" })
          everything.push(yield* shown(Retry.once(client.get("/w"))), client)
        }
        const promised = createApiClient({
          baseUrl: api.baseUrl,
          tokenEndpoint: api.tokenEndpoint,
          clientId: `${api.clientId}-other`,
          clientSecret,
          clientAuth
        })
        everything.push(promised, yield* Effect.promise(() => promised.fetch("/w").catch((error: unknown) => error)))
        everything.push(yield* Metric.snapshot)
        const basic = Buffer.from(`${api.clientId}:${encodeURIComponent(clientSecret)}`).toString("base64")
        assert.isAtLeast(Object.keys(secrets).length, 20)
        for (const what of everything) assert.deepStrictEqual(SecretSweep.find(what, { ...secrets, basic }), [])
      }).pipe(Effect.provide(CognitoApi.layer({ clientSecret, limit: 10_000 }))), 60_000)
  }
})
