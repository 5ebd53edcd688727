import { ClientCredentials, SecureUrl, TokenMetrics } from "@effect-identity/oauth"
import { SecretSweep } from "@effect-identity/testing"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Metric, Redacted, Result } from "effect"
import { HttpClient, HttpClientResponse } from "effect/http"
import * as fc from "fast-check"

const endpoint = { url: Result.getOrThrow(SecureUrl.parse("https://issuer.example/token")) }

const granted = () => Response.json({ access_token: "t0ken", token_type: "Bearer", expires_in: 3600 })

/** What arrives for a grant, as the other side reads it. */
const asking = Effect.fnUntraced(function*(
  options: Partial<ClientCredentials.Options>,
  respond: () => Response = granted
) {
  const seen: Array<{ readonly authorization: string | undefined; readonly form: ReadonlyArray<[string, string]> }> = []
  const issuer = HttpClient.make((request) => {
    const body = request.body._tag === "Uint8Array" ? new TextDecoder().decode(request.body.body) : ""
    seen.push({ authorization: request.headers["authorization"], form: Array.from(new URLSearchParams(body)) })
    return Effect.sync(() => HttpClientResponse.fromWeb(request, respond()))
  })
  const exit = yield* ClientCredentials.token({
    endpoint,
    clientId: "app",
    clientSecret: Redacted.make("s3cret"),
    ...options
  }).pipe(Effect.provideService(HttpClient.HttpClient, issuer), Effect.exit)
  return { exit, seen }
})

const isolated = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => Effect.provideService(effect, Metric.MetricRegistry, new Map()))

/** RFC 6749 §2.3.1, read backwards. */
const readBasic = (authorization: string | undefined): ReadonlyArray<string | null> => {
  const [id, secret, ...rest] = Buffer.from(authorization?.replace(/^Basic /, "") ?? "", "base64").toString().split(":")
  return [...[id, secret].map((part) => new URLSearchParams(`part=${part}`).get("part")), ...rest]
}

describe("ClientCredentials", () => {
  it.effect("says who it is in the body, and only there", () =>
    Effect.gen(function*() {
      const { seen } = yield* asking({ scope: "wallets:read charges", audience: "https://api.example" })
      assert.deepStrictEqual(seen, [{
        authorization: undefined,
        form: [
          ["client_id", "app"],
          ["client_secret", "s3cret"],
          ["grant_type", "client_credentials"],
          ["scope", "wallets:read charges"],
          ["audience", "https://api.example"]
        ]
      }])
    }))

  it.effect("says who it is in a header when told to, and only there", () =>
    Effect.gen(function*() {
      const { seen } = yield* asking({ clientAuth: "client_secret_basic", scope: "a" })
      assert.deepStrictEqual(seen, [{
        authorization: `Basic ${Buffer.from("app:s3cret").toString("base64")}`,
        form: [["grant_type", "client_credentials"], ["scope", "a"]]
      }])
    }))

  it("encodes both parts of the header, whatever is in them", () =>
    fc.assert(
      fc.asyncProperty(
        fc.string({ unit: "grapheme" }).filter((text) => text.isWellFormed()),
        fc.string({ unit: "grapheme" }).filter((text) => text.isWellFormed()),
        async (clientId, secret) => {
          const { seen } = await Effect.runPromise(
            asking({ clientId, clientSecret: Redacted.make(secret), clientAuth: "client_secret_basic" })
          )
          assert.match(seen[0]?.authorization ?? "", /^Basic [A-Za-z0-9+/]*={0,2}$/)
          assert.deepStrictEqual(readBasic(seen[0]?.authorization), [clientId, secret])
        }
      ),
      { numRuns: 200 }
    ))

  it.effect("does not show the header, or part of it, should the server repeat it", () =>
    Effect.gen(function*() {
      const secret = "client-secret-/+&%-91ab3c"
      const basic = Buffer.from(`app:${encodeURIComponent(secret)}`).toString("base64")
      const repeated = { error: "invalid_client", error_description: `unknown ${basic}`, error_uri: basic }
      const { exit } = yield* asking(
        { clientAuth: "client_secret_basic", clientSecret: Redacted.make(secret) },
        () => Response.json(repeated, { status: 400, headers: { "x-request-id": basic } })
      )
      assert.strictEqual(exit._tag, "Failure")
      if (exit._tag === "Success") return
      assert.include(Cause.pretty(exit.cause), "clientCredentials: invalid_client (HTTP 400)")
      for (const shown of [Cause.squash(exit.cause), Cause.pretty(exit.cause)]) {
        assert.deepStrictEqual(SecretSweep.find(shown, { secret, basic }), [])
      }
    }))

  it.effect("is counted request by request, with what came of each", () =>
    Effect.gen(function*() {
      const answers = [
        () => new Response("", { status: 503, headers: { "retry-after": "0" } }),
        granted,
        () => Response.json({ error: "invalid_client" }, { status: 400 })
      ]
      let nth = 0
      const next = () => answers[nth++]?.() ?? granted()
      yield* asking({}, next)
      yield* asking({}, next)
      const count = (attributes: Record<string, string>) =>
        Effect.map(
          Metric.value(Metric.withAttributes(TokenMetrics.requests, { operation: "clientCredentials", ...attributes })),
          (state) => Number(state.count)
        )
      assert.strictEqual(yield* count({ outcome: "success" }), 1)
      assert.strictEqual(yield* count({ outcome: "failure", "error.type": "Status" }), 1)
      assert.strictEqual(yield* count({ outcome: "failure", "error.type": "OAuth" }), 1)
    }).pipe(isolated))
})
