import { ClientCredentials, Retry, SecureUrl } from "@effect-identity/oauth"
import { SecretSweep } from "@effect-identity/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Option, Redacted, Result } from "effect"
import { HttpClient, HttpClientResponse } from "effect/http"
import * as fc from "fast-check"

const endpoint = { url: Result.getOrThrow(SecureUrl.parse("https://issuer.test/token")) }

/** The error of a failing request, and everything it leaves behind. */
const traces = async (secret: string, respond: () => Response) => {
  const client = HttpClient.make((request) => Effect.sync(() => HttpClientResponse.fromWeb(request, respond())))
  const asking = ClientCredentials.token({ endpoint, clientId: "app", clientSecret: Redacted.make(secret) }).pipe(
    Retry.once,
    Effect.provideService(HttpClient.HttpClient, client)
  )
  const { exit, shown } = await Effect.runPromise(SecretSweep.watch(asking))
  return { error: Exit.findErrorOption(exit), all: shown }
}

const spellings: ReadonlyArray<(text: string) => string> = [
  (text) => text,
  (text) => text.toUpperCase(),
  (text) => Buffer.from(text).toString("base64"),
  (text) => Buffer.from(text).toString("base64url"),
  (text) => Buffer.from(text).toString("hex"),
  (text) => encodeURIComponent(text),
  (text) => new URLSearchParams({ text }).toString(),
  (text) => JSON.stringify({ text })
]

const secrets = fc.string({ unit: "grapheme", minLength: 12, maxLength: 64 }).filter((text) => text.isWellFormed())

describe("secrecy", () => {
  it("holds for any secret a server repeats, in any field of a refusal and any spelling", () =>
    fc.assert(
      fc.asyncProperty(
        secrets,
        fc.constantFrom(...spellings),
        fc.constantFrom("error", "error_description", "code", "msg", "errmsg", "error_uri"),
        fc.string(),
        fc.constantFrom(200, 400, 401, 500),
        async (secret, spell, field, around, status) => {
          const body = { error: "invalid_client", [field]: `${around}${spell(secret)}${around}` }
          const { all, error } = await traces(secret, () => Response.json(body, { status }))
          assert.isTrue(Option.isSome(error))
          assert.deepStrictEqual(SecretSweep.find(all, { secret }), [])
        }
      ),
      { numRuns: 500 }
    ))

  it("holds for a log id that is the secret", async () => {
    const secret = "client-secret-91ab3c"
    const headers = { "x-tt-logid": secret }
    const { all } = await traces(secret, () => Response.json({ error: "invalid_client" }, { status: 401, headers }))
    assert.deepStrictEqual(SecretSweep.find(all, { secret }), [])
  })

  it("holds for a token that arrives beside an error", async () => {
    const token = "access-token-91ab3c77"
    const body = { access_token: token, error: token, error_description: `no ${token}` }
    const { all } = await traces("client-secret", () => Response.json(body))
    assert.deepStrictEqual(SecretSweep.find(all, { token }), [])
  })

  it("still says what a server says that keeps secrets", async () => {
    const body = { error: "invalid_client", error_description: "unknown client" }
    const { error } = await traces("client-secret-91ab3c", () => Response.json(body, { status: 401 }))
    assert.include(String(Option.getOrUndefined(error)), "invalid_client: unknown client (HTTP 401)")
  })
})
