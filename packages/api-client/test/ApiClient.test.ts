import { type ApiCall, ApiClient, ApiError, type ConfigurationError } from "@effect-identity/api-client"
import { Retry, TokenCache, TokenMetrics } from "@effect-identity/oauth"
import { Answer, CognitoApi } from "@effect-identity/testing"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Config, ConfigProvider, Duration, Effect, Fiber, Layer, Metric, Random, Redacted, Schema } from "effect"
import { FetchHttpClient, HttpBody, HttpClientRequest } from "effect/http"
import { TestClock } from "effect/testing"
import { failing, oneConnection, onSocket, options, played } from "./Fixture.ts"

const Wallets = Schema.Struct({ wallets: Schema.Array(Schema.Struct({ id: Schema.String, balance: Schema.String })) })

const fine = () => Response.json({ ok: true })

const drawing = (number: number) =>
  Effect.provideService(Random.Random, { nextIntUnsafe: () => 0, nextDoubleUnsafe: () => number })

const asApiError = (error: ApiCall.Failure): ApiError.ApiError => {
  assert.instanceOf(error, ApiError.ApiError)
  return error
}

type CallOf = (client: ApiClient.Client) => Effect.Effect<unknown, ApiCall.Failure>

const running = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.forkChild(Effect.result(effect), { startImmediately: true })

describe("ApiClient", () => {
  it.live("gives data by a schema, from a path below the base URL, with a token", () =>
    Effect.gen(function*() {
      const { api, calls, client, tokens } = yield* onSocket()
      const { wallets } = yield* client.get("/wallets", { schema: Wallets })
      assert.deepStrictEqual(wallets, [{ id: "w-1", balance: "1050.00" }])
      assert.deepStrictEqual((yield* client.request("GET", "wallets", { schema: Wallets })).wallets, wallets)
      assert.property(yield* client.request("GET", "wallets"), "wallets")
      const made = yield* client.post("/wallets", {
        json: { currency: "BRL" },
        schema: Schema.Struct({ id: Schema.String, currency: Schema.String })
      })
      assert.strictEqual(made.currency, "BRL")
      assert.deepStrictEqual([yield* tokens, yield* calls], [1, 4])
      assert.deepStrictEqual(yield* client.tokenRequests, { sent: 1, granted: 1 })
      const last = (yield* api.requests).at(-1)
      assert.strictEqual(last?.headers["content-type"], "application/json")
      assert.isUndefined(last?.headers["traceparent"])
    }).pipe(Effect.provide(CognitoApi.layer())))

  it.live("spells methods, parameters, headers and bodies as they were given", () =>
    Effect.gen(function*() {
      const { calls, client } = yield* played(fine)
      yield* client.put("a/b?x=1", { json: [1], urlParams: { y: "ü&", z: ["1", "2"] }, headers: { "X-Thing": "t" } })
      yield* client.patch("/a", { body: HttpBody.text("plain", "text/plain") })
      yield* client.delete("/", { idempotencyKey: "key-1" })
      yield* client.request("OPTIONS", "")
      assert.deepStrictEqual(calls.map(({ body, method, url }) => [method, url, body]), [
        ["PUT", "https://api.example/api/v1/a/b?x=1&y=%C3%BC%26&z=1&z=2", "[1]"],
        ["PATCH", "https://api.example/api/v1/a", "plain"],
        ["DELETE", "https://api.example/api/v1/", "Empty"],
        ["OPTIONS", "https://api.example/api/v1", "Empty"]
      ])
      assert.deepInclude(calls[0]?.headers, { "x-thing": "t", "content-type": "application/json" })
      assert.deepInclude(calls[2]?.headers, { "idempotency-key": "key-1", authorization: "Bearer token-1" })
    }))

  it.live("lets headers say another content type than that of the body", () =>
    Effect.gen(function*() {
      const { calls, client } = yield* played(fine)
      const headers = { "Content-Type": "application/merge-patch+json" }
      yield* client.patch("/w", { json: { a: null }, headers })
      yield* client.patch("/w", { body: HttpBody.text("{}", "text/plain"), headers })
      assert.deepStrictEqual(calls.map((call) => [call.headers["content-type"], call.body]), [
        ["application/merge-patch+json", "{\"a\":null}"],
        ["application/merge-patch+json", "{}"]
      ])
    }))

  it.live("sends nothing with a timeout that is none, or a payload that JSON cannot carry", () =>
    Effect.gen(function*() {
      const { calls, client, tokens } = yield* played(fine)
      const bounds = "timeout must be from 1 to 2147483647 milliseconds (not sent)"
      for (const timeout of [0, -1, Number.NaN, 2 ** 31, Infinity]) {
        assert.strictEqual((yield* failing(client.get("/w", { timeout }))).message, `GET: ${bounds}`)
      }
      const error = yield* failing(client.get("/w", JSON.parse("{\"timeout\":\"soon-8f1d\"}")))
      assert.strictEqual(error.message, "GET: timeout must be a duration (not sent)")
      for (const json of [() => 1, Symbol("a"), 1n]) {
        const refused = yield* failing(client.post("/w", { json }))
        assert.strictEqual(refused.message, "POST: body must be something JSON can carry (not sent)")
      }
      assert.deepStrictEqual([calls.length, tokens.length], [0, 0])
    }))

  it.live("gives the response as it is when asked to, whatever its status", () =>
    Effect.gen(function*() {
      const { client } = yield* onSocket({ attempts: 2 })
      const found = yield* client.execute(HttpClientRequest.get("/wallets"))
      assert.strictEqual(found.status, 200)
      assert.property(yield* found.json, "wallets")
      const nothing = yield* client.execute(HttpClientRequest.get("/nothing"))
      assert.strictEqual(nothing.status, 404)
      const api = yield* CognitoApi.CognitoApi
      const busy = Answer.body("busy", { status: 503 })
      yield* api.script("resource", busy, busy)
      const late = yield* client.execute(HttpClientRequest.get("/wallets"))
      assert.deepStrictEqual([late.status, yield* late.text], [503, "busy"])
      yield* api.script("resource", Answer.redirect(`${api.baseUrl}/elsewhere`))
      const error = asApiError(yield* failing(client.execute(HttpClientRequest.get("/wallets"))))
      assert.strictEqual(error.message, "GET: HTTP 307 (redirects are not followed)")
      assert.isFalse((yield* api.requests).some(({ path }) => path.endsWith("elsewhere")))
    }).pipe(Effect.provide(CognitoApi.layer())))

  it.live("lets go of a response that it does not give out, so that its connection can serve again", () =>
    Effect.gen(function*() {
      const { api, client } = yield* onSocket({ timeout: "3 seconds" }, oneConnection)
      yield* api.script(
        "resource",
        Answer.body("elsewhere", { status: 302, headers: { location: "/elsewhere" } }),
        Answer.body("busy", { status: 503 }),
        Answer.body("busy", { status: 503 })
      )
      assert.strictEqual(asApiError(yield* failing(client.execute(HttpClientRequest.get("/wallets")))).status, 302)
      assert.strictEqual((yield* client.execute(HttpClientRequest.get("/wallets"))).status, 200)
    }).pipe(Effect.provide(CognitoApi.layer())))

  it.live("decodes nothing as null, and gives it out as undefined without a schema", () =>
    Effect.gen(function*() {
      const { client } = yield* played(() => new Response(null, { status: 204 }))
      assert.isUndefined(yield* client.delete("/w", { schema: Schema.Void }))
      assert.isUndefined(yield* client.delete("/w"))
    }))

  it.effect(
    "takes at most 4 token requests for 10,000 calls over 3 hours with tokens of an hour",
    () =>
      Effect.gen(function*() {
        for (const drawn of [0, 0.5]) {
          const { calls, client, tokens } = yield* played(fine)
          const step = Duration.toMillis("3 hours") / 10_000
          const call = drawing(drawn)(client.get("/wallets"))
          for (let nth = 0; nth < 10_000; nth++) {
            yield* call
            yield* TestClock.adjust(step)
          }
          assert.strictEqual(calls.length, 10_000)
          assert.isAtMost(tokens.length, 4)
          assert.deepStrictEqual(yield* client.tokenRequests, { sent: tokens.length, granted: tokens.length })
        }
      }),
    120_000
  )

  it.effect("renews from three quarters of a life on, and 5 minutes before the end of an hour at the latest", () =>
    Effect.gen(function*() {
      for (
        const [given, from, to] of [
          [{}, 45, 51],
          [{ renewAfter: 0.94 }, 49.5, 55],
          [{ renewAfter: 0.94, renewBefore: "1 minute" }, 53, 59.1],
          [{ renewAfter: 0.5 }, 30, 36.1]
        ] as const
      ) {
        for (const drawn of [0, 1 - Number.EPSILON]) {
          const { client, tokens } = yield* played(fine, given)
          let seconds = 0
          while (tokens.length < 2) {
            yield* drawing(drawn)(client.get("/wallets"))
            seconds += 10
            yield* TestClock.adjust("10 seconds")
          }
          assert.isAtLeast(seconds / 60, from)
          assert.isAtMost(seconds / 60, to + 0.2)
        }
      }
    }))

  it.live("shares no token between two scopes, audiences, clients, secrets or issuers, and one between spellings", () =>
    Effect.gen(function*() {
      const { calls, client, tokens } = yield* played(fine, { scope: "a b" })
      const other = yield* client.withGrant({ scope: "b a a" })
      const narrow = yield* client.withGrant({ scope: "a" })
      const meant = yield* client.withGrant({ scope: "a b", audience: "https://api.example" })
      for (const each of [client, other, narrow, meant, client, narrow]) yield* each.get("/wallets")
      assert.deepStrictEqual(calls.map(({ headers }) => headers["authorization"]), [
        "Bearer token-1",
        "Bearer token-1",
        "Bearer token-2",
        "Bearer token-3",
        "Bearer token-1",
        "Bearer token-2"
      ])
      assert.deepStrictEqual(
        tokens.map(({ body }) => Object.fromEntries(new URLSearchParams(body))).map(({ audience, scope }) => [
          scope,
          audience
        ]),
        [["a b", undefined], ["a", undefined], ["a b", "https://api.example"]]
      )
      assert.deepStrictEqual(yield* client.tokenRequests, { sent: 3, granted: 3 })
    }))

  it.live("keeps clients apart that share a cache by all that makes them different", () =>
    Effect.gen(function*() {
      const api = yield* CognitoApi.CognitoApi
      const real = {
        baseUrl: api.baseUrl,
        tokenEndpoint: api.tokenEndpoint,
        clientId: api.clientId,
        clientSecret: Redacted.make(api.clientSecret)
      }
      const first = yield* ApiClient.make(real)
      const same = yield* ApiClient.make(real)
      yield* first.get("/wallets")
      yield* same.get("/wallets")
      assert.deepStrictEqual(yield* same.tokenRequests, { sent: 0, granted: 0 })
      for (
        const given of [
          { clientSecret: Redacted.make("wrong") },
          { clientId: "other" },
          { tokenEndpoint: `${api.tokenEndpoint}?other` }
        ]
      ) {
        const other = yield* ApiClient.make({ ...real, ...given })
        const error = yield* failing(other.get("/wallets"))
        assert.strictEqual(error._tag, "OAuthError")
        assert.deepStrictEqual((yield* other.tokenRequests).granted, 0)
      }
    }).pipe(Effect.provide([CognitoApi.layer(), TokenCache.layerLocal(), FetchHttpClient.layer])))

  it.live("asks once for a token, however many callers there are", () =>
    Effect.gen(function*() {
      const { client, tokens } = yield* onSocket()
      yield* CognitoApi.CognitoApi.use((api) => api.behave({ delay: "50 millis", limit: 1000 }))
      yield* Effect.all(Array.from({ length: 500 }, () => client.get("/wallets")), { concurrency: "unbounded" })
      assert.strictEqual(yield* tokens, 1)
    }).pipe(Effect.provide(CognitoApi.layer())))

  it.live("sends nothing when there is no token", () =>
    Effect.gen(function*() {
      const { calls, client, tokens } = yield* played(fine, {
        token: () => Response.json({ error: "invalid_client" }, { status: 400 })
      })
      for (let call = 0; call < 20; call++) {
        const error = yield* failing(client.post("/wallets", { json: {} }))
        assert.strictEqual(error.message, "clientCredentials: invalid_client (HTTP 400)")
      }
      // Cognito says so under 400; it is remembered all the same.
      assert.deepStrictEqual([calls.length, tokens.length], [0, 1])
    }))

  it.effect("waits for an answer for as long as the call may take, or for half of that where there is another attempt", () =>
    Effect.gen(function*() {
      const waited = Effect.fnUntraced(function*(given: Partial<ApiClient.Options>, call: CallOf, seconds: number) {
        const { calls, client } = yield* played(
          (_, nth) => nth === 1 ? Effect.delay(Effect.sync(fine), Duration.seconds(seconds)) : fine(),
          given
        )
        const fiber = yield* running(call(client))
        while (fiber.pollUnsafe() === undefined) yield* TestClock.adjust("1 second")
        return [(yield* Fiber.join(fiber))._tag, calls.length]
      })
      const get: CallOf = (client) => client.get("/w")
      const post: CallOf = (client) => client.post("/w", { json: {} })
      const execute: CallOf = (client) => client.execute(HttpClientRequest.post("/w"))
      for (const call of [post, execute]) assert.deepStrictEqual(yield* waited({}, call, 29), ["Success", 1])
      assert.deepStrictEqual(yield* waited({}, post, 31), ["Failure", 1])
      assert.deepStrictEqual(yield* waited({ attempts: 1 }, get, 29), ["Success", 1])
      assert.deepStrictEqual(yield* waited({}, get, 14), ["Success", 1])
      assert.deepStrictEqual(yield* waited({}, get, 29), ["Success", 2])
    }))

  it.effect("ends a call within its bound, wherever it hangs", () =>
    Effect.gen(function*() {
      const { client } = yield* played(() => Effect.never, { timeout: "10 seconds" })
      for (const [given, seconds, detail] of [[{}, 10, "headers"], [{ timeout: "3 seconds" }, 3, "headers"]] as const) {
        const fiber = yield* Effect.forkChild(failing(client.get("/w", given)), { startImmediately: true })
        yield* TestClock.adjust(Duration.seconds(seconds - 0.01))
        assert.isUndefined(fiber.pollUnsafe())
        yield* TestClock.adjust("10 millis")
        assert.deepInclude({ ...asApiError(yield* Fiber.join(fiber)).reason }, { _tag: "Timeout", detail })
      }
      const sending = yield* Effect.forkChild(failing(client.post("/w")), { startImmediately: true })
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(asApiError(yield* Fiber.join(sending)).reason._tag, "Timeout")
      const slow = yield* played(fine, { timeout: "2 seconds", token: () => Response.json({}, { status: 503 }) })
      const began = yield* Clock.currentTimeMillis
      const fiber = yield* running(slow.client.get("/w"))
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "Failure")
      assert.isAtMost((yield* Clock.currentTimeMillis) - began, 2000)
      assert.lengthOf(slow.calls, 0)
    }))

  it.live("ends a call within its bound when the issuer hangs, and sends nothing", () =>
    Effect.gen(function*() {
      const { api, calls, client } = yield* onSocket({ timeout: "1 second" })
      yield* api.script("token", Answer.hang, Answer.hang)
      const [elapsed, error] = yield* Effect.timed(failing(client.get("/wallets")))
      assert.strictEqual(error.reason._tag, "Timeout")
      assert.isAtMost(Duration.toMillis(elapsed), 1250)
      assert.strictEqual(yield* calls, 0)
    }).pipe(Effect.provide(CognitoApi.layer())))

  it.live("can be told how often to try", () =>
    Effect.gen(function*() {
      const down = () => new Response("", { status: 502 })
      for (const [attempts, expected] of [[1, 1], [2, 2], [5, 5], [undefined, 3]] as const) {
        const { calls, client } = yield* played(down, { attempts })
        yield* failing(client.get("/w")).pipe(drawing(0))
        assert.lengthOf(calls, expected)
      }
      const { calls, client } = yield* played(down)
      yield* failing(Retry.once(client.get("/w")))
      assert.lengthOf(calls, 1)
    }))

  it.live("counts token requests in a metric", () =>
    Effect.gen(function*() {
      const { client } = yield* played(fine)
      yield* client.get("/w")
      yield* client.get("/w")
      const { count } = yield* Metric.value(
        Metric.withAttributes(TokenMetrics.requests, { operation: "clientCredentials", outcome: "success" })
      )
      assert.strictEqual(Number(count), 1)
    }).pipe((test) => Effect.suspend(() => Effect.provideService(test, Metric.MetricRegistry, new Map()))))

  it.live("lists everything that is wrong with its options, by name", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Effect.scoped(played(fine, {
        baseUrl: "http://api.example/?a=b",
        tokenEndpoint: "https://user:pass@issuer.example",
        clientId: " ",
        clientSecret: Redacted.make("s3cret\0"),
        scope: "a  b",
        audience: "",
        timeout: 0,
        maximumBytes: 0.5,
        attempts: 0,
        renewAfter: 1,
        renewBefore: -1
      })))
      assert.deepStrictEqual(error.issues.map(({ name, rule }) => `${name} ${rule}`), [
        "baseUrl must be an https URL (http is accepted for loopback only)",
        "tokenEndpoint must not contain user info",
        "clientId is missing",
        "clientSecret must not contain control characters",
        "scope must be names in printable ASCII, one blank between them",
        "audience is missing",
        "timeout must be from 1 to 2147483647 milliseconds",
        "maximumBytes must be a whole number from 1",
        "attempts must be a whole number from 1",
        "renewAfter must be between 0 and 1",
        "renewBefore must be from 0 to 2147483647 milliseconds"
      ])
      assert.notInclude(error.message, "s3cret")
      const grant = yield* Effect.flip(
        Effect.flatMap(played(fine), ({ client }) => client.withGrant({ scope: "\"" }))
      )
      assert.strictEqual(
        grant.message,
        "Invalid configuration: scope must be names in printable ASCII, one blank between them"
      )
    }))

  it.live("takes its options from the configuration", () =>
    Effect.gen(function*() {
      const api = yield* CognitoApi.CognitoApi
      const layer = ApiClient.layerConfig({
        baseUrl: Config.String("A55_BASE_URL"),
        tokenEndpoint: Config.String("A55_TOKEN_ENDPOINT"),
        clientId: Config.String("A55_CLIENT_ID"),
        clientSecret: Config.Redacted("A55_CLIENT_SECRET")
      }).pipe(Layer.provide(FetchHttpClient.layer))
      const wallets = ApiClient.ApiClient.use((client) => client.get("/wallets", { schema: Wallets }))
      const env = {
        A55_BASE_URL: api.baseUrl,
        A55_TOKEN_ENDPOINT: api.tokenEndpoint,
        A55_CLIENT_ID: api.clientId,
        A55_CLIENT_SECRET: api.clientSecret
      }
      const within = (variables: Readonly<Record<string, string>>) =>
        Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown(variables))
      assert.lengthOf((yield* Effect.provide(wallets, layer).pipe(within(env))).wallets, 1)
      const missing = yield* Effect.flip(Effect.provide(wallets, layer).pipe(within({ ...env, A55_BASE_URL: "x" })))
      assert.strictEqual(missing.message, "Invalid configuration: baseUrl must be an absolute URL")
    }).pipe(Effect.provide(CognitoApi.layer())))

  it.effect("answers from a function in tests, and reads that as it would the real thing", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      assert.deepStrictEqual(yield* client.get("/wallets", { schema: Wallets }), { wallets: [] })
      const error = asApiError(yield* failing(client.get("/other")))
      assert.deepStrictEqual([error.status, error.code], [404, "not_found"])
    }).pipe(
      Effect.provide(
        ApiClient.layerTest(({ headers, url }) =>
          headers["authorization"] === "Bearer offline-token" && url === "https://api.test/wallets"
            ? Response.json({ wallets: [] })
            : Response.json({ error: { code: "not_found" } }, { status: 404 })
        )
      )
    ))

  it("has options whose failures are typed", () => {
    const error: ConfigurationError.ConfigurationError = Effect.runSync(
      Effect.flip(Effect.scoped(Layer.build(
        ApiClient.layer({ ...options, baseUrl: "" }).pipe(Layer.provide(FetchHttpClient.layer))
      )))
    )
    assert.strictEqual(error.message, "Invalid configuration: baseUrl is missing")
  })
})
