import { ApiError, ConfigurationError, createApiClient, OAuthError } from "@effect-identity/api-client/promise"
import { Answer, CognitoApi } from "@effect-identity/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"

const optionsOf = (api: CognitoApi.CognitoApi["Service"]) => ({
  baseUrl: api.baseUrl,
  tokenEndpoint: api.tokenEndpoint,
  clientId: api.clientId,
  clientSecret: api.clientSecret
})

const rejection = (promise: Promise<unknown>): Effect.Effect<unknown> =>
  Effect.promise(() => promise.then(() => "resolved", (error: unknown) => error))

const make = Effect.map(
  CognitoApi.CognitoApi,
  (api) => ({ api, client: createApiClient(optionsOf(api)) })
)

const bodies = (api: CognitoApi.CognitoApi["Service"]) =>
  Effect.map(api.requests, (requests) => requests.filter(({ step }) => step === "resource"))

describe("createApiClient", () => {
  it.live("does what the page of A55 shows", () =>
    Effect.gen(function*() {
      const { api, client } = yield* make
      const wallets = yield* Effect.promise(() => client.request("GET", "wallets"))
      assert.deepStrictEqual(wallets, { wallets: [{ id: "w-1", currency: "BRL", balance: "1050.00" }] })
      const made = yield* Effect.promise(() => client.request("post", "wallets", { currency: "BRL" }))
      assert.deepInclude(Object(made), { currency: "BRL" })
      assert.deepStrictEqual((yield* bodies(api)).map(({ body, method }) => [method, body]), [
        ["GET", ""],
        ["POST", "{\"currency\":\"BRL\"}"]
      ])
      assert.deepStrictEqual(yield* Effect.promise(() => client.tokenRequests()), { sent: 1, granted: 1 })
    }).pipe(Effect.provide(CognitoApi.layer())))

  it.live("rejects with what the API said, never resolves with it", () =>
    Effect.gen(function*() {
      const { api, client } = yield* make
      const error = yield* rejection(client.request("GET", "nothing"))
      assert.instanceOf(error, ApiError)
      assert.deepStrictEqual(
        [error.status, error.code, error.description, error.isRetryable, error.rateLimit?.limit],
        [404, "not_found", "there is nothing here", false, 100]
      )
      yield* api.script("resource", Answer.body("<p>fine", { contentType: "text/html" }))
      const page = yield* rejection(client.request("GET", "wallets"))
      assert.strictEqual(String(page), "ApiError: GET: invalid answer: content type is not JSON (HTTP 200)")
      const other = createApiClient({ ...optionsOf(api), clientSecret: "wrong" })
      assert.instanceOf(yield* rejection(other.request("GET", "wallets")), OAuthError)
      assert.instanceOf(yield* rejection(other.fetch("wallets")), OAuthError)
      const whoAsks = async () => {
        await client.request("GET", "nothing")
      }
      assert.match(Object(yield* rejection(whoAsks())).stack, /at (?:async )?whoAsks/)
    }).pipe(Effect.provide(CognitoApi.layer())))

  it.live("is shaped like fetch: any body, any status, and a response", () =>
    Effect.gen(function*() {
      const { api, client } = yield* make
      const found = yield* Effect.promise(() => client.fetch("/wallets", { headers: [["X-Thing", "t"]] }))
      assert.instanceOf(found, Response)
      assert.deepStrictEqual([found.ok, found.headers.get("x-ratelimit-limit")], [true, "100"])
      assert.property(yield* Effect.promise(() => found.json()), "wallets")
      const nothing = yield* Effect.promise(() => client.fetch("/nothing"))
      assert.deepStrictEqual([nothing.ok, nothing.status], [false, 404])

      const form = new FormData()
      form.set("file", new Blob(["content"]), "a.txt")
      const send = (body: RequestInit["body"], headers: Record<string, string> = {}) =>
        Effect.promise(() => client.fetch("/nothing", { method: "POST", body: body ?? null, headers }))
      yield* send("text")
      yield* send(new URLSearchParams({ a: "b c" }))
      yield* send(form)
      yield* send(new Blob(["blob"], { type: "text/x" }))
      yield* send(new TextEncoder().encode("bytes"))
      yield* send(new TextEncoder().encode("buffer").buffer)
      yield* send("{}", { "content-type": "application/json" })
      yield* send(new Blob(["stream"]).stream())
      yield* send(null)
      const sent = (yield* bodies(api)).slice(2).map(({ body, headers }) => [headers["content-type"], body])
      assert.deepStrictEqual(sent.filter((_, index) => index !== 2), [
        ["text/plain;charset=UTF-8", "text"],
        ["application/x-www-form-urlencoded;charset=UTF-8", "a=b+c"],
        ["text/x", "blob"],
        ["application/octet-stream", "bytes"],
        ["application/octet-stream", "buffer"],
        ["application/json", "{}"],
        ["application/octet-stream", "stream"],
        [undefined, ""]
      ])
      assert.match(sent[2]?.[0] ?? "", /^multipart\/form-data; boundary=/)
      assert.include(sent[2]?.[1], "content")
    }).pipe(Effect.provide(CognitoApi.layer())))

  it.live("sends a body again after a 401, a stream not", () =>
    Effect.gen(function*() {
      const { api, client } = yield* make
      yield* Effect.promise(() => client.fetch("/wallets"))
      yield* api.revokeTokens
      const body = new Blob(["{\"a\":1}"])
      const again = yield* Effect.promise(() => client.fetch("/wallets", { method: "POST", body }))
      assert.strictEqual(again.status, 201)
      yield* api.revokeTokens
      const stream = { method: "POST", body: body.stream() }
      assert.strictEqual((yield* Effect.promise(() => client.fetch("/wallets", stream))).status, 401)
      assert.lengthOf(yield* bodies(api), 4)
    }).pipe(Effect.provide(CognitoApi.layer())))

  it.live("stops when the signal says so, on the wire too", () =>
    Effect.gen(function*() {
      const { api, client } = yield* make
      const reason = new Error("enough")
      assert.strictEqual(yield* rejection(client.fetch("/w", { signal: AbortSignal.abort(reason) })), reason)
      assert.lengthOf(yield* api.requests, 0)

      yield* api.script("resource", Answer.hang, Answer.stall("[1,"))
      const controller = new AbortController()
      const hanging = yield* Effect.forkChild(
        rejection(client.request("GET", "w", undefined, { signal: controller.signal })),
        { startImmediately: true }
      )
      yield* api.requestsUntil((requests) => requests.some(({ step }) => step === "resource"))
      controller.abort(reason)
      yield* api.requestsUntil((requests) => requests.some(({ outcome }) => outcome === "closed"))
      assert.strictEqual(yield* Fiber.join(hanging), reason)

      const later = new AbortController()
      const response = yield* Effect.promise(() => client.fetch("/w", { signal: later.signal }))
      later.abort(reason)
      assert.strictEqual(yield* rejection(response.text()), reason)
    }).pipe(Effect.provide(CognitoApi.layer())))

  it.live("has one token for all clients of an identity, and one each for what is different", () =>
    Effect.gen(function*() {
      const { api, client } = yield* make
      for (let call = 0; call < 10; call++) {
        yield* Effect.promise(() => createApiClient(optionsOf(api)).request("GET", "wallets"))
      }
      const reader = client.withGrant({ scope: "wallets/read" })
      yield* Effect.promise(() => Promise.all([reader.request("GET", "wallets"), reader.request("GET", "wallets")]))
      yield* Effect.promise(() => client.close())
      yield* Effect.promise(() => client.request("GET", "wallets"))
      const asked = (yield* api.requests).filter(({ step }) => step === "token")
      assert.deepStrictEqual(asked.map((request) => request.field("scope")), [undefined, "wallets/read"])
      assert.throws(() => client.withGrant({ scope: "a\nb" }), ConfigurationError)
    }).pipe(Effect.provide(CognitoApi.layer())))

  it.live("leaves an API alone that asked another client of the process for it, and no other API", () =>
    Effect.gen(function*() {
      const { api, client } = yield* make
      const busy = Answer.body("", { status: 429, headers: { "retry-after": "60" } })
      yield* Effect.promise(() => client.request("GET", "wallets"))
      yield* api.script("resource", busy)
      yield* rejection(client.request("GET", "wallets"))
      const later = yield* rejection(createApiClient(optionsOf(api)).request("GET", "wallets"))
      assert.strictEqual(String(later), "ApiError: GET: throttled (HTTP 429, not sent)")
      const other = createApiClient({ ...optionsOf(api), baseUrl: `${api.baseUrl}/wallets` })
      assert.strictEqual((yield* Effect.promise(() => other.fetch(""))).status, 200)
      assert.lengthOf(yield* bodies(api), 3)
    }).pipe(Effect.provide(CognitoApi.layer())))

  for (
    const [what, init, field] of [
      ["authorization", { headers: { Authorization: "Bearer mine-0b6f" } }, "headers"],
      ["host", { headers: { host: "other.example" } }, "headers"],
      ["a line break", { headers: { "x-a": "mine-0b6f\r\nx-b: c" } }, "headers"],
      ["a letter no header can carry", { headers: { "x-a": "mine-0b6f\u4f60" } }, "headers"],
      ["a name no header can have", { headers: { "a b": "mine-0b6f" } }, "headers"],
      ["CONNECT", { method: "CONNECT" }, "method"],
      ["a method of two lines", { method: "GET\r\nx: mine-0b6f" }, "method"],
      ["a body where none may be", { method: "GET", body: "mine-0b6f" }, "body"]
    ] as const
  ) {
    it.live(`sends nothing with ${what}`, () =>
      Effect.gen(function*() {
        const { api, client } = yield* make
        const error = yield* rejection(client.fetch("/wallets", init))
        assert.instanceOf(error, ApiError)
        assert.deepInclude({ ...error.reason }, { _tag: "InvalidRequest", field })
        assert.notInclude(String(error), "mine-0b6f")
        assert.lengthOf(yield* api.requests, 0)
      }).pipe(Effect.provide(CognitoApi.layer())))
  }

  it.live("sends nothing that JSON cannot carry, and no key that a header cannot", () =>
    Effect.gen(function*() {
      const { api, client } = yield* make
      const cyclic: Record<string, unknown> = {}
      cyclic["self"] = cyclic
      for (
        const [call, message] of [
          [client.request("POST", "w", 1n), "POST: body must be something JSON can carry (not sent)"],
          [client.request("POST", "w", cyclic), "POST: body must be something JSON can carry (not sent)"],
          [
            client.request("POST", "w", {}, { idempotencyKey: "a b" }),
            "POST: idempotencyKey must be from 1 to 255 printable ASCII characters without blanks (not sent)"
          ]
        ] as const
      ) {
        assert.strictEqual(String(yield* rejection(call)), `ApiError: ${message}`)
      }
      assert.lengthOf(yield* api.requests, 0)
    }).pipe(Effect.provide(CognitoApi.layer())))

  it("throws what is wrong with its options, at once", () => {
    assert.throws(
      () => createApiClient({ baseUrl: "x", tokenEndpoint: "", clientId: "", clientSecret: "", timeoutMs: Number.NaN }),
      ConfigurationError,
      "Invalid configuration: baseUrl must be an absolute URL, tokenEndpoint is missing, clientId is missing, "
        + "clientSecret is missing, timeout must be from 1 to 2147483647 milliseconds"
    )
    assert.throws(
      () => Reflect.apply(createApiClient, undefined, [{}]),
      ConfigurationError,
      "Invalid configuration: baseUrl is missing, tokenEndpoint is missing, clientId is missing, clientSecret is missing"
    )
  })
})
