/**
 * What goes wrong, by the rows of the fault matrix: what the caller got, and what the other side saw.
 */
import { ApiError } from "@effect-identity/api-client"
import type { OAuthError } from "@effect-identity/oauth"
import { Answer, CognitoApi } from "@effect-identity/testing"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Fiber, Random, type Scope, Stream } from "effect"
import { HttpBody } from "effect/http"
import { TestClock } from "effect/testing"
import { failing, onSocket, played } from "./Fixture.ts"

const told = (error: ApiError.ApiError | OAuthError.OAuthError): string => {
  const { reason } = error
  const detail = "code" in reason && reason.code !== undefined
    ? reason.code
    : "status" in reason
    ? reason.status
    : "detail" in reason
    ? reason.detail
    : ""
  return `${error._tag} ${reason._tag}(${detail})`
}

const waitOf = (error: ApiError.ApiError | OAuthError.OAuthError): number =>
  error.retryAfter === undefined ? Number.NaN : Duration.toMillis(error.retryAfter)

/** Waits of our own are as short as they can be. */
const hurried = Effect.provideService(Random.Random, { nextIntUnsafe: () => 0, nextDoubleUnsafe: () => 0 })

const throttled = (headers: Readonly<Record<string, string>>) => Answer.body("", { status: 429, headers })

const date = "Wed, 21 Oct 2026 07:28:00 GMT"

const live = <E>(name: string, test: Effect.Effect<void, E, CognitoApi.CognitoApi | Scope.Scope>) =>
  it.live(name, () => test.pipe(Effect.scoped, Effect.provide(CognitoApi.layer({ limit: 100_000 }))))

/** Throttled for longer than a call may take: it fails at once, and nobody is sent meanwhile. */
const throttledFor = (headers: Readonly<Record<string, string>>, from: number, to = from) =>
  Effect.gen(function*() {
    const { api, calls, client } = yield* onSocket({ timeout: "4 seconds" })
    const before = yield* calls
    yield* api.script("resource", throttled(headers))
    const error = yield* failing(client.get("/wallets"))
    assert.strictEqual(told(error), "ApiError Throttled(429)")
    assert.isAtLeast(waitOf(error), from)
    assert.isAtMost(waitOf(error), to)
    for (let caller = 0; caller < 100; caller++) {
      const later = yield* failing(caller % 2 === 0 ? client.get("/wallets") : client.post("/wallets", { json: {} }))
      assert.deepInclude({ ...later.reason }, { _tag: "Throttled", isSent: false })
      assert.isAtMost(waitOf(later), to)
      assert.isAbove(waitOf(later), 0)
    }
    assert.strictEqual((yield* calls) - before, 1)
  })

describe("faults of the API", () => {
  live(
    "R3: comes again after the seconds it was told, and others wait with it",
    Effect.gen(function*() {
      const { api, calls, client } = yield* onSocket()
      yield* api.script("resource", throttled({ "retry-after": "1" }))
      const [elapsed] = yield* Effect.timed(client.get("/wallets"))
      assert.isAtLeast(Duration.toMillis(elapsed), 1000)
      assert.strictEqual(yield* calls, 2)
      yield* api.script("resource", throttled({ "retry-after": "1" }))
      const began = yield* Clock.currentTimeMillis
      // It has no time to wait, and fails as soon as it is told.
      yield* failing(client.get("/wallets", { timeout: "900 millis" }))
      yield* Effect.all([
        ...Array.from({ length: 20 }, () => client.get("/wallets")),
        // Nothing was sent yet, so that waiting does no harm.
        client.post("/wallets", { json: {} })
      ], { concurrency: "unbounded" })
      assert.isAtLeast((yield* Clock.currentTimeMillis) - began, 1000)
      assert.strictEqual(yield* calls, 24)
    })
  )
  live(
    "R3: leaves the API alone with other scopes too, whose limit is the same",
    Effect.gen(function*() {
      const { api, calls, client } = yield* onSocket({ timeout: "4 seconds" })
      const other = yield* client.withGrant({ scope: "wallets/read" })
      yield* api.script("resource", throttled({ "retry-after": "60" }))
      yield* failing(client.get("/wallets"))
      assert.strictEqual(told(yield* failing(other.get("/wallets"))), "ApiError Throttled(429)")
      assert.strictEqual(yield* calls, 1)
    })
  )
  live("R3: fails at once when it may not wait for so long", throttledFor({ "retry-after": "60" }, 60_000))

  live(
    "R4: takes a date that is past for now",
    Effect.gen(function*() {
      const { api, calls, client } = yield* onSocket()
      yield* api.script("resource", throttled({ "retry-after": "Wed, 21 Oct 2026 07:27:00 GMT", date }))
      yield* client.get("/wallets")
      assert.strictEqual(yield* calls, 2)
    })
  )
  live(
    "R4: takes a date by the server's own clock, and an hour at most",
    Effect.gen(function*() {
      yield* throttledFor({ "retry-after": "Wed, 21 Oct 2026 07:29:00 GMT", date }, 60_000)
      yield* throttledFor({ "retry-after": "Thu, 22 Oct 2026 07:28:00 GMT", date }, 3_600_000)
    })
  )

  for (const headers of [{}, { "retry-after": "-5" }, { "retry-after": "soon" }, { "retry-after": "1e3" }]) {
    live(`R5: assumes five seconds where ${JSON.stringify(headers)} says nothing`, throttledFor(headers, 5000))
  }
  live("R5: waits an hour at most", throttledFor({ "retry-after": "9999999999" }, 3_600_000))
  live(
    "R5: takes the end of a rate limit, where that is all it is told",
    Effect.gen(function*() {
      const seconds = String(Date.parse(date) / 1000 + 90)
      yield* throttledFor({ "x-ratelimit-reset": seconds, date }, 90_000)
      const { api, client } = yield* onSocket({ timeout: "2 seconds" })
      yield* api.behave({ limit: 0 })
      const error = yield* failing(client.get("/wallets"))
      assert.strictEqual(told(error), "ApiError Throttled(rate_limit_exceeded)")
      assert.instanceOf(error, ApiError.ApiError)
      assert.deepInclude({ ...error.rateLimit }, { limit: 0, remaining: 0 })
      assert.strictEqual((error.rateLimit?.resetAt?.getTime() ?? 1) % 60_000, 0)
      assert.match(error.requestId ?? "", /^loopback-request-\d+$/)
    })
  )

  live(
    "R6: gets through to an API that flaps",
    Effect.gen(function*() {
      const { api, calls, client } = yield* onSocket()
      const down = Answer.body("", { status: 503 })
      yield* api.script("resource", down, down)
      yield* hurried(client.get("/wallets"))
      assert.strictEqual(yield* calls, 3)
    })
  )
  for (
    const headers of [
      { "retry-after": "1" },
      { "retry-after": "Wed, 21 Oct 2026 07:28:01 GMT", date },
      { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(Date.parse(date) / 1000 + 1), date }
    ]
  ) {
    live(
      `R6: waits as a 503 says by ${Object.keys(headers)[0]}: ${Object.values(headers)[0]}`,
      Effect.gen(function*() {
        const { api, calls, client } = yield* onSocket()
        yield* api.script("resource", Answer.body("", { status: 503, headers }))
        const [elapsed] = yield* Effect.timed(client.get("/wallets"))
        assert.isAtLeast(Duration.toMillis(elapsed), 1000)
        assert.strictEqual(yield* calls, 2)
      })
    )
  }

  for (const status of [500, 502, 504]) {
    live(
      `R7: gives up on ${status} after three attempts, and does once what may not be done twice`,
      Effect.gen(function*() {
        const { api, calls, client } = yield* onSocket()
        const down = Answer.json({ error: { code: "broken" } }, { status })
        const asked = [
          ["get", {}, 3],
          ["post", {}, 1],
          ["put", {}, 1],
          ["patch", {}, 1],
          ["delete", {}, 1],
          ["post", { idempotencyKey: "key-1" }, 3],
          ["post", { headers: { "Idempotency-Key": "key-1" } }, 3],
          [
            "post",
            { idempotencyKey: "key-1", body: HttpBody.stream(Stream.make(new Uint8Array(1))) },
            1
          ]
        ] as const
        for (const [method, options, times] of asked) {
          const before = yield* calls
          yield* api.script("resource", ...Array.from({ length: times }, () => down))
          assert.strictEqual(told(yield* hurried(failing(client[method]("/w", options)))), "ApiError Status(broken)")
          assert.strictEqual((yield* calls) - before, times, method)
        }
      })
    )
  }

  live(
    "R12: shows what an API says cleaned and cut",
    Effect.gen(function*() {
      const { api, client } = yield* onSocket()
      yield* api.script(
        "resource",
        Answer.json({
          error: {
            code: "<script>\u0007",
            message: `saldo\r\n\u001b[31m<b>insuficiente</b>\u202e ${"x".repeat(600)}`,
            details: Array.from({ length: 50 }, () => ({ field: "a\nb", message: "é\u0000obrigatório" }))
          }
        }, { status: 422 })
      )
      const error = yield* failing(client.post("/wallets", { json: {} }))
      assert.instanceOf(error.reason, ApiError.Status)
      if (!(error.reason instanceof ApiError.Status)) return
      assert.isUndefined(error.reason.code)
      assert.match(error.reason.description ?? "", /^saldo \[31m<b>insuficiente<\/b> x+$/)
      assert.isAtMost(error.reason.description?.length ?? 0, 500)
      assert.lengthOf(error.reason.details, 20)
      assert.deepStrictEqual(error.reason.details[0], {
        field: undefined,
        code: undefined,
        message: "é obrigatório"
      })
    })
  )

  live(
    "R44: replaces a token that is refused, once, and repeats the call",
    Effect.gen(function*() {
      const { api, calls, client, tokens } = yield* onSocket()
      yield* client.get("/wallets")
      yield* api.revokeTokens
      yield* client.post("/wallets", { json: { a: 1 } })
      assert.deepStrictEqual([yield* tokens, yield* calls], [2, 3])
      const [first, second, third] = (yield* api.requests).filter(({ step }) => step === "resource")
      assert.strictEqual(second?.headers["authorization"], first?.headers["authorization"])
      assert.notStrictEqual(third?.headers["authorization"], first?.headers["authorization"])
      assert.strictEqual(third?.body, "{\"a\":1}")
    })
  )

  live(
    "R45: tells a 401 that stays, after two requests in total",
    Effect.gen(function*() {
      const { api, calls, client, tokens } = yield* onSocket()
      yield* client.get("/wallets")
      const refused = Answer.json({ error: { code: "unauthorized", message: "no" }, request_id: "r-1" }, {
        status: 401
      })
      yield* api.script("resource", refused, refused)
      const error = yield* failing(client.get("/wallets"))
      assert.strictEqual(told(error), "ApiError Status(unauthorized)")
      assert.deepStrictEqual([error.message, error.requestId], ["GET: HTTP 401, unauthorized, no", "r-1"])
      assert.deepStrictEqual([yield* tokens, yield* calls], [2, 3])
      yield* api.script("resource", ...Array.from({ length: 50 }, () => refused))
      for (let call = 0; call < 50; call++) yield* failing(client.get("/wallets"))
      assert.deepStrictEqual([yield* tokens, yield* calls], [2, 53])
    })
  )

  live(
    "R44: takes a 403 for what it is, a token that is good and not enough",
    Effect.gen(function*() {
      const { api, calls, client, tokens } = yield* onSocket()
      yield* client.get("/wallets")
      yield* api.script("resource", Answer.json({ error: { code: "forbidden" } }, { status: 403 }))
      assert.strictEqual(told(yield* failing(client.get("/wallets"))), "ApiError Status(forbidden)")
      assert.deepStrictEqual([yield* tokens, yield* calls], [1, 2])
    })
  )

  it.effect("R44: replaces one token a call, however often that is tried", () =>
    Effect.gen(function*() {
      const answers = [200, 401, 503, 401, 401]
      const { calls, client, tokens } = yield* played(
        (_, nth) => new Response("{}", { status: answers[nth - 1] ?? 200, headers: { "retry-after": "40" } }),
        { timeout: "5 minutes" }
      )
      yield* client.get("/w")
      const fiber = yield* Effect.forkChild(failing(client.get("/w")), { startImmediately: true })
      while (fiber.pollUnsafe() === undefined) yield* TestClock.adjust("1 second")
      assert.strictEqual(told(yield* Fiber.join(fiber)), "ApiError Status(401)")
      assert.deepStrictEqual([tokens.length, calls.length], [2, 4])
    }))

  live(
    "R44: sends a stream once, and drops the token all the same",
    Effect.gen(function*() {
      const { api, calls, client, tokens } = yield* onSocket()
      yield* client.get("/wallets")
      yield* api.revokeTokens
      const body = HttpBody.stream(Stream.make(new TextEncoder().encode("{}")), "application/json")
      assert.strictEqual(told(yield* failing(client.post("/wallets", { body }))), "ApiError Status(unauthorized)")
      assert.deepStrictEqual([yield* tokens, yield* calls], [1, 2])
      yield* client.post("/wallets", { json: {} })
      assert.deepStrictEqual([yield* tokens, yield* calls], [2, 3])
    })
  )

  it.live("R46: replaces one token for 10,000 callers that are refused at once", () =>
    Effect.gen(function*() {
      const { calls, client, tokens } = yield* played(({ headers }) =>
        Effect.delay(
          Effect.succeed(new Response("{}", { status: headers["authorization"] === "Bearer token-1" ? 401 : 200 })),
          "10 millis"
        ), { timeout: "10 minutes" })
      yield* failing(client.get("/warm"))
      const before = calls.length
      yield* Effect.all(Array.from({ length: 10_000 }, () => client.get("/w")), { concurrency: "unbounded" })
      assert.deepStrictEqual([tokens.length, calls.length - before], [2, 20_000])
    }), 240_000)

  it.effect("spreads those who were kept back, and lets nobody go before the end", () =>
    Effect.gen(function*() {
      const sentAt: Array<number> = []
      const { client } = yield* played((_, nth) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          sentAt.push(now)
          return nth === 1 ? new Response("", { status: 429, headers: { "retry-after": "10" } }) : Response.json({})
        })
      )
      yield* failing(client.post("/w", { json: {} }))
      const since = yield* Clock.currentTimeMillis
      const waiting = yield* Effect.forkChild(
        Effect.all(Array.from({ length: 100 }, () => client.get("/w")), { concurrency: "unbounded" }),
        { startImmediately: true }
      )
      yield* TestClock.adjust("10 seconds")
      yield* TestClock.adjust("2 seconds")
      yield* Effect.asVoid(Fiber.join(waiting))
      const waits = sentAt.slice(1).map((at) => at - since)
      assert.isTrue(waits.every((wait) => wait >= 10_000 && wait <= 12_000))
      assert.isAbove(new Set(waits).size, 50)
    }))
})

describe("a call that is kept back", () => {
  it.effect("is sent with a token that is valid when it goes", () =>
    Effect.gen(function*() {
      const { calls, client, tokens } = yield* played(
        (_, nth) => nth === 2 ? new Response("", { status: 429, headers: { "retry-after": "20" } }) : Response.json({}),
        { token: (nth) => Response.json({ access_token: `token-${nth}`, token_type: "Bearer", expires_in: 10 }) }
      )
      yield* client.get("/w")
      yield* failing(client.post("/w", { json: {} }))
      const later = yield* Effect.forkChild(client.get("/w"), { startImmediately: true })
      yield* TestClock.adjust("25 seconds")
      yield* Effect.asVoid(Fiber.join(later))
      assert.strictEqual(calls[2]?.headers["authorization"], "Bearer token-2")
      assert.lengthOf(tokens, 2)
    }))
})

describe("faults of the issuer", () => {
  for (
    const [row, code, status] of [
      ["R8", "invalid_client", 400],
      ["R8", "invalid_client", 401],
      ["R9", "invalid_grant", 400],
      ["R10", "invalid_target", 400],
      ["R10", "invalid_scope", 400],
      ["R10", "unauthorized_client", 400],
      ["R10", "unsupported_grant_type", 400]
    ] as const
  ) {
    live(
      `${row}: tells ${code} under ${status}, asks once, and sends nothing`,
      Effect.gen(function*() {
        const { api, calls, client, tokens } = yield* onSocket()
        yield* api.script("token", Answer.refusal(code, { status }))
        for (let call = 0; call < 10; call++) {
          assert.strictEqual(told(yield* failing(client.get("/wallets"))), `OAuthError OAuth(${code})`)
        }
        assert.deepStrictEqual([yield* tokens, yield* calls], [1, 0])
      })
    )
  }

  live(
    "R3, R6, R11: asks again where that can help",
    Effect.gen(function*() {
      for (
        const answers of [
          [throttled({ "retry-after": "1" })],
          [Answer.body("", { status: 503 }), Answer.body("", { status: 503 })],
          [Answer.refusal("temporarily_unavailable")]
        ]
      ) {
        const { api, client, tokens } = yield* onSocket()
        const before = yield* tokens
        yield* api.script("token", ...answers)
        yield* client.get("/wallets")
        assert.strictEqual((yield* tokens) - before, answers.length + 1)
        assert.deepStrictEqual(yield* client.tokenRequests, { sent: answers.length + 1, granted: 1 })
      }
    })
  )

  live(
    "R3, R5: is left alone for as long as it asks, by everyone",
    Effect.gen(function*() {
      for (
        const [headers, wait] of [[{ "retry-after": "60" }, 60_000], [{ "retry-after": "nonsense" }, 5000]] as const
      ) {
        const { api, client, tokens } = yield* onSocket({ timeout: "4 seconds" })
        const before = yield* tokens
        yield* api.script("token", throttled(headers))
        for (let call = 0; call < 50; call++) {
          const error = yield* failing(client.get("/wallets"))
          assert.strictEqual(told(error), "OAuthError Throttled(429)")
          assert.isAtMost(waitOf(error), wait)
        }
        assert.strictEqual((yield* tokens) - before, 1)
      }
    })
  )

  live(
    "R7: fails after three attempts",
    Effect.gen(function*() {
      const { api, calls, client, tokens } = yield* onSocket()
      const down = Answer.body("", { status: 502 })
      yield* api.script("token", down, down, down)
      assert.strictEqual(told(yield* hurried(failing(client.get("/wallets")))), "OAuthError Status(502)")
      assert.deepStrictEqual([yield* tokens, yield* calls], [3, 0])
    })
  )

  live(
    "R12: shows no code and no description that nobody could have meant",
    Effect.gen(function*() {
      const { api, client } = yield* onSocket()
      yield* api.script("token", Answer.refusal("<script>\u0007", { description: "no\u001b[31m\nsuch" }))
      const error = yield* failing(client.get("/wallets"))
      assert.strictEqual(error.message, "clientCredentials: refused: no [31m such (HTTP 400)")
    })
  )
})
