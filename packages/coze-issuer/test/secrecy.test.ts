import { Answer, CozeOAuth, SecretSweep } from "@effect-identity/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as jose from "jose"
import { as, ask, callers, entries, keys, wanting } from "./Entry.ts"

const layer = CozeOAuth.layer()

const shared = "shared-secret-of-at-least-32-bytes-1f9c"

/** What a server says that repeats whatever it was shown. */
const echo = (secret: string, status: number) =>
  Answer.json({ error_code: secret, error_message: secret, error: secret, error_description: secret, msg: secret }, {
    status,
    headers: { "x-tt-logid": secret.slice(0, 90) }
  })

for (const entry of entries) {
  describe(`secrets of the issuer, on ${entry.name}`, () => {
    it.live("are in no answer but the token in its own, and in nothing that is written", () =>
      Effect.gen(function*() {
        const coze = yield* CozeOAuth.CozeOAuth
        const { origin, output } = yield* Effect.orDie(entry.start({
          ...coze.env,
          ...callers,
          CALLER_JWT_ISSUER: "https://id.example",
          CALLER_JWT_AUDIENCE: "coze-issuer",
          CALLER_JWT_SECRET: shared,
          TOKEN_TIMEOUT: "2"
        }))
        const jwt = yield* Effect.promise(() =>
          new jose.SignJWT({ sub: "alice" }).setProtectedHeader({ alg: "HS256" }).setIssuer("https://id.example")
            .setAudience("coze-issuer").setExpirationTime("1 minute").sign(new TextEncoder().encode(shared))
        )
        const good = yield* ask(`${origin}/`, as(keys.any, { "x-user-id": "good" }))
        const scripted = "czs_5d24e6f1b7a09c3e8f"
        const assertionOf = Effect.map(
          coze.requests,
          (requests) => requests.at(-1)?.headers["authorization"]?.slice("Bearer ".length) ?? ""
        )

        const answers = [yield* ask(`${origin}/`, as(`${jwt}x`))]
        const faults = [
          echo(yield* assertionOf, 400),
          Answer.json({ access_token: scripted, error_code: "x", error_message: `no ${scripted}` }),
          Answer.token({ access_token: scripted }),
          Answer.body(scripted),
          Answer.body(`<p>${scripted}`, { contentType: "text/html" }),
          Answer.redirect(`http://127.0.0.1:1/?token=${scripted}`)
        ]
        for (const [index, fault] of faults.entries()) {
          yield* coze.script(fault)
          answers.push(yield* ask(`${origin}/`, as(keys.any, { "x-user-id": `fault-${index}` })))
        }
        for (
          const answer of [
            ask(`${origin}/`, as(keys.none, { "x-user-id": "x" })),
            ask(`${origin}/v1/tokens`, wanting(keys.any, { session: jwt.repeat(2) })),
            ask(`${origin}/v1/tokens`, wanting(keys.any, { [keys.none]: keys.none })),
            ask(`${origin}/v1/openapi.json?key=${keys.any}`, { method: "GET" }),
            ask(`${origin}/${keys.any}`, as(keys.any))
          ]
        ) answers.push(yield* answer)

        const secrets = {
          ...Object.fromEntries(
            coze.privateKey.split("\n").filter((line) => line.length > 20 && !line.includes("--")).entries()
          ),
          apiKey: keys.any,
          otherKey: keys.none,
          shared,
          jwt,
          scripted,
          assertion: yield* assertionOf,
          token: String(good.body["access_token"])
        }
        const shown = answers.map(({ headers, text }) => ({ headers: [...headers], text }))
        assert.deepStrictEqual(SecretSweep.find(shown, secrets), [])
        assert.isNotEmpty(output())
        assert.deepStrictEqual(SecretSweep.find(output(), secrets), [])
      }).pipe(Effect.provide(layer)), 60_000)
  })
}
