/**
 * R once more, for an API behind client credentials: what its issuer refuses, and what it answers itself.
 */
import { ApiClient, type ApiError } from "@effect-identity/api-client"
import type { OAuthError } from "@effect-identity/oauth"
import { Answer, CognitoApi, SecretSweep } from "@effect-identity/testing"
import { NodeHttpClient } from "@effect/platform-node"
import { Cause, Context, Duration, Effect, Layer, Redacted, Stream } from "effect"
import { HttpBody } from "effect/http"
import * as assert from "node:assert/strict"
import { row } from "./Row.ts"
import { failure } from "./Workload.ts"

const clientSecret = "loopback-client-secret"

/** A client, the API it calls, and how often that and its issuer were asked. */
const onApi = Effect.fnUntraced(function*(options: Partial<ApiClient.Options> = {}) {
  const api = Context.get(
    yield* Layer.build(CognitoApi.layer({ clientSecret, limit: 100_000 })),
    CognitoApi.CognitoApi
  )
  const { baseUrl, clientId, tokenEndpoint } = api
  const layer = ApiClient.layer({
    baseUrl,
    tokenEndpoint,
    clientId,
    clientSecret: Redacted.make(clientSecret),
    ...options
  })
  const context = yield* Effect.orDie(Layer.build(Layer.provide(layer, NodeHttpClient.layerNodeHttp)))
  const seen = Effect.map(api.requests, (requests) => {
    const count = (step: string) => requests.filter((request) => request.step === step).length
    return `${count("token")} + ${count("resource")} requests`
  })
  return { api, client: Context.get(context, ApiClient.ApiClient), seen }
})

/** `ApiError Throttled(429)`, and no secret in any face of the error. */
const describe = (error: ApiError.ApiError | OAuthError.OAuthError): string => {
  for (const shown of [error, Cause.pretty(Cause.fail(error))]) {
    assert.deepEqual(SecretSweep.find(shown, { clientSecret, token: "loopback-token-" }), [], "a secret is shown")
  }
  const { reason } = error
  const code = "code" in reason ? reason.code : undefined
  return `${error._tag} ${reason._tag}(${code ?? ("status" in reason ? reason.status : "")})`
}

const waitOf = ({ retryAfter }: ApiError.ApiError | OAuthError.OAuthError): number =>
  retryAfter === undefined ? Number.NaN : Duration.toMillis(retryAfter)

const throttled = (headers: Readonly<Record<string, string>>) => Answer.body("", { status: 429, headers })

const down = (status: number) => Answer.json({ error: { code: "broken" } }, { status })

const unauthorized = "ApiError Status(unauthorized)"

const get = (client: ApiClient.Client) => client.get("/wallets")

/** Answers of one side, how a call ends, and what both sides saw. */
const scripted = (
  step: "token" | "resource",
  answers: ReadonlyArray<Answer.Answer>,
  expected: string,
  requests: string,
  call: (client: ApiClient.Client) => ReturnType<typeof get> = get
) =>
  Effect.gen(function*() {
    const { api, client, seen } = yield* onApi()
    yield* api.script(step, ...answers)
    const caller = yield* Effect.match(call(client), { onSuccess: () => "data", onFailure: describe })
    assert.equal(caller, expected)
    assert.equal(yield* seen, requests)
    return { caller, other: requests }
  })

/** Throttled for longer than a call may take: it fails at once, and nobody is sent meanwhile. */
const throttledFor = (headers: Readonly<Record<string, string>>, wait: number) =>
  Effect.gen(function*() {
    const { api, client, seen } = yield* onApi({ timeout: "4 seconds" })
    yield* api.script("resource", throttled(headers))
    for (let caller = 0; caller <= 100; caller++) {
      const error = yield* failure(get(client))
      assert.equal(describe(error), "ApiError Throttled(429)")
      assert.ok(waitOf(error) <= wait && waitOf(error) > wait - 3000, `waits ${waitOf(error)} ms`)
    }
    assert.equal(yield* seen, "1 + 1 requests")
    return { caller: `ApiError Throttled(429), ${wait} ms to wait, at once`, other: "1 + 1 requests for 101 calls" }
  })

const date = "Wed, 21 Oct 2026 07:28:00 GMT"
const later = "Wed, 21 Oct 2026 07:28:30 GMT"

/** The issuer refuses: told to ten calls, asked once, and nothing is sent to the API. */
const refusals = (codes: ReadonlyArray<string>, status: number) =>
  Effect.gen(function*() {
    for (const code of codes) {
      const { api, client, seen } = yield* onApi()
      yield* api.script("token", Answer.refusal(code, { status }))
      for (let call = 0; call < 10; call++) {
        assert.equal(describe(yield* failure(get(client))), `OAuthError OAuth(${code})`)
      }
      assert.equal(yield* seen, "1 + 0 requests")
    }
    return { caller: `OAuthError OAuth(${codes.join(" | ")})`, other: "1 + 0 requests for 10 calls each" }
  })

/** A client whose token was accepted once, and is not any more. */
const refused = Effect.fnUntraced(function*(options?: Partial<ApiClient.Options>) {
  const world = yield* onApi(options)
  yield* Effect.orDie(get(world.client))
  yield* world.api.revokeTokens
  return world
})

export const rows = [
  row(
    "R3",
    "API: 429 with Retry-After in seconds",
    Effect.gen(function*() {
      const [elapsed, { other }] = yield* Effect.timed(
        scripted("resource", [throttled({ "retry-after": "1" })], "data", "1 + 2 requests")
      )
      assert.ok(Duration.toMillis(elapsed) >= 1000)
      const told = yield* throttledFor({ "retry-after": "60" }, 60_000)
      return { caller: `data after 1 s; ${told.caller}`, other: `${other}; ${told.other}` }
    })
  ),
  row(
    "R4",
    "API: 429 with Retry-After as a date: past, future",
    Effect.gen(function*() {
      const past = throttled({ "retry-after": date, date: later })
      yield* scripted("resource", [past], "data", "1 + 2 requests")
      return yield* throttledFor({ "retry-after": later, date }, 30_000)
    })
  ),
  row(
    "R5",
    "API: 429 with no, a garbled or a huge Retry-After, or X-RateLimit-Reset alone",
    Effect.gen(function*() {
      for (const garbage of ["-1", "soon"]) yield* throttledFor({ "retry-after": garbage }, 5000)
      yield* throttledFor({ "retry-after": "999999999" }, 3_600_000)
      yield* throttledFor({ "x-ratelimit-reset": String(Date.parse(date) / 1000 + 90), date }, 90_000)
      return yield* throttledFor({}, 5000)
    })
  ),
  row("R6", "API: 503 that passes", scripted("resource", [down(503), down(503)], "data", "1 + 3 requests")),
  row(
    "R7",
    "API: 500, 502, 504 for good, to a call that may be repeated and to one that may not",
    Effect.gen(function*() {
      const answers = [500, 502, 504].map(down)
      const expected = "ApiError Status(broken)"
      const once = yield* scripted(
        "resource",
        [down(500)],
        expected,
        "1 + 1 requests",
        (client) => client.post("/wallets", { json: {} })
      )
      const keyed = yield* scripted(
        "resource",
        answers,
        expected,
        "1 + 3 requests",
        (client) => client.post("/wallets", { json: {}, idempotencyKey: "key-1" })
      )
      const { other } = yield* scripted("resource", answers, expected, "1 + 3 requests")
      return { caller: expected, other: `${other}; POST ${once.other}, with an idempotency key ${keyed.other}` }
    })
  ),
  row(
    "R8",
    "API: its issuer says invalid_client, under 400 as Cognito and under 401",
    Effect.andThen(refusals(["invalid_client"], 401), refusals(["invalid_client"], 400))
  ),
  row("R9", "API: its issuer says invalid_grant", refusals(["invalid_grant"], 400)),
  row(
    "R10",
    "API: other refusals of its issuer",
    refusals(["invalid_target", "invalid_scope", "unauthorized_client", "unsupported_grant_type"], 400)
  ),
  row(
    "R11",
    "API: its issuer says temporarily_unavailable, which passes",
    scripted("token", [Answer.refusal("temporarily_unavailable")], "data", "2 + 1 requests")
  ),
  row(
    "R12",
    "API: error with control characters, markup and a secret in it",
    Effect.gen(function*() {
      const { api, client, seen } = yield* onApi()
      const message = `\u001b[31m<script>\u0000${"x".repeat(1000)}`
      const details = [{ field: "amount", message: `not ${clientSecret}` }]
      yield* api.script("resource", Answer.json({ error: { code: "invalid", message, details } }, { status: 422 }))
      const error = yield* failure(get(client))
      // oxlint-disable-next-line no-control-regex
      assert.doesNotMatch(error.message, /[\u0000-\u001f]/)
      assert.ok(error.message.length < 600)
      const caller = `${describe(error)}, cleaned, ${error.message.length} characters`
      return { caller, other: yield* seen }
    })
  ),
  row(
    "R44",
    "API: 401 to a call, and to one whose body is a stream",
    Effect.gen(function*() {
      const { client, seen } = yield* refused()
      yield* client.post("/wallets", { json: {} })
      const other = yield* seen
      assert.equal(other, "2 + 3 requests")
      const streaming = yield* refused()
      const body = HttpBody.stream(Stream.make(new Uint8Array([0x7b, 0x7d])))
      assert.equal(describe(yield* failure(streaming.client.post("/wallets", { body }))), unauthorized)
      assert.equal(yield* streaming.seen, "1 + 2 requests")
      return { caller: `data; stream: ${unauthorized}`, other: `${other}; stream: 1 + 2 requests` }
    })
  ),
  row(
    "R45",
    "API: 401 again with the new token, for 50 calls",
    Effect.gen(function*() {
      const { api, client, seen } = yield* refused()
      yield* api.script("resource", ...Array.from({ length: 51 }, () => Answer.json({}, { status: 401 })))
      for (let call = 0; call < 50; call++) {
        assert.equal(describe(yield* failure(get(client))), "ApiError Status(401)")
      }
      assert.equal(yield* seen, "2 + 52 requests")
      return { caller: "ApiError Status(401), 50 x", other: "1 new token, 1 repetition" }
    })
  ),
  row(
    "R46",
    "API: 401 to 1,000 callers at once",
    Effect.gen(function*() {
      const { api, client } = yield* refused({ timeout: "2 minutes" })
      yield* Effect.all(Array.from({ length: 1000 }, () => get(client)), { concurrency: "unbounded" })
      assert.deepEqual(yield* client.tokenRequests, { sent: 2, granted: 2 })
      const calls = (yield* api.requests).filter(({ step }) => step === "resource").length
      return { caller: "data, 1,000 x", other: `1 new token for ${calls - 1001} refusals` }
    })
  )
]
