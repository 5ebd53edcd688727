import { SecureRequest } from "@effect-identity/oauth"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Layer, Redacted } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest, HttpClientResponse } from "effect/http"
import { TestClock } from "effect/testing"
import { createServer } from "node:http"

const request = HttpClientRequest.get("https://api.example/")

const sendTo = (
  respond: () => Effect.Effect<Response>,
  options: Partial<SecureRequest.Options> = {}
) =>
  Effect.provideService(
    SecureRequest.send(request, { secrets: [], ...options }),
    HttpClient.HttpClient,
    HttpClient.make((request) => Effect.map(respond(), (response) => HttpClientResponse.fromWeb(request, response)))
  )

const answering = (headers: Readonly<Record<string, string>>, options: Partial<SecureRequest.Options> = {}) =>
  sendTo(() => Effect.succeed(new Response("{}", { headers })), options)

const date = "Wed, 21 Oct 2026 07:28:00 GMT"

describe("SecureRequest", () => {
  for (
    const [headers, millis] of [
      [{ "retry-after": "7" }, 7000],
      [{ "retry-after": " 7 " }, 7000],
      [{ "retry-after": "0" }, 0],
      [{ "retry-after": "3600" }, 3_600_000],
      [{ "retry-after": "3601" }, 3_600_000],
      [{ "retry-after": "9999999999" }, 3_600_000],
      [{ "retry-after": "99999999999" }, undefined],
      [{ "retry-after": "-1" }, undefined],
      [{ "retry-after": "1.5" }, undefined],
      [{ "retry-after": "1s" }, undefined],
      [{ "retry-after": "" }, undefined],
      [{}, undefined],
      [{ "retry-after": "Wed, 21 Oct 2026 07:28:30 GMT", date }, 30_000],
      [{ "retry-after": "Wed, 21 Oct 2026 07:28:30 GMT", date: ` ${date} ` }, 30_000],
      [{ "retry-after": "Wed, 21 Oct 2026 07:27:30 GMT", date }, 0],
      [{ "retry-after": "Wed, 21 Oct 2026 07:28:30", date }, undefined],
      [{ "retry-after": "soon GMT", date }, undefined],
      // The test's clock stands at the epoch.
      [{ "retry-after": "Thu, 01 Jan 1970 00:00:10 GMT" }, 10_000],
      [{ "retry-after": "Thu, 01 Jan 1970 00:00:10 GMT", date: "yesterday" }, 10_000]
    ] as const
  ) {
    it.effect(`takes ${JSON.stringify(headers)} for ${millis} ms`, () =>
      Effect.gen(function*() {
        const { retryAfter } = yield* answering(headers)
        assert.strictEqual(retryAfter === undefined ? undefined : Duration.toMillis(retryAfter), millis)
      }))
  }

  for (
    const [status, headers, millis] of [
      [429, { "x-ratelimit-reset": "1792567710", date }, 30_000],
      [429, { "x-ratelimit-reset": " 1792567710 ", date }, 30_000],
      [429, { "x-ratelimit-reset": "1792567710123", date }, 30_123],
      [429, { "x-ratelimit-reset": "1792567670", date }, 0],
      [429, { "x-ratelimit-reset": "1792667680", date }, 3_600_000],
      [429, { "x-ratelimit-reset": "12" }, 12_000],
      [429, { "x-ratelimit-reset": "12", "retry-after": "7" }, 7000],
      [429, { "x-ratelimit-reset": "12", "retry-after": "soon" }, 12_000],
      [429, { "x-ratelimit-reset": "-1" }, undefined],
      [429, { "x-ratelimit-reset": "17925676801234" }, undefined],
      [429, { "x-ratelimit-reset": "12.5" }, undefined],
      [503, { "x-ratelimit-reset": "12", "x-ratelimit-remaining": "0" }, 12_000],
      [503, { "x-ratelimit-reset": "12", "x-ratelimit-remaining": "1" }, undefined],
      [400, { "x-ratelimit-reset": "12", "x-ratelimit-remaining": "0" }, undefined]
    ] as const
  ) {
    it.effect(`takes ${JSON.stringify(headers)} under ${status} for ${millis} ms`, () =>
      Effect.gen(function*() {
        const { retryAfter } = yield* sendTo(() => Effect.succeed(new Response("{}", { status, headers })))
        assert.strictEqual(retryAfter === undefined ? undefined : Duration.toMillis(retryAfter), millis)
      }))
  }

  it.effect("keeps the headers of a request over its own", () =>
    Effect.gen(function*() {
      const sent: Array<Readonly<Record<string, string>>> = []
      const server = HttpClient.make((request) => {
        sent.push({ ...request.headers })
        return Effect.succeed(HttpClientResponse.fromWeb(request, new Response("{}")))
      })
      for (const headers of [{}, { accept: "text/csv", "accept-encoding": "gzip" }]) {
        yield* SecureRequest.send(HttpClientRequest.setHeaders(request, headers), { secrets: [] }).pipe(
          Effect.provideService(HttpClient.HttpClient, server)
        )
      }
      assert.deepStrictEqual(sent, [
        { accept: "application/json", "accept-encoding": "identity" },
        { accept: "text/csv", "accept-encoding": "gzip" }
      ])
    }))

  it.live("follows no redirect over a fetch that would, and shows the other side nothing", () =>
    Effect.gen(function*() {
      const seen: Array<string> = []
      const server = createServer((incoming, outgoing) => {
        seen.push(incoming.url ?? "")
        outgoing.writeHead(307, { location: "/elsewhere" }).end()
      })
      const origin = yield* Effect.acquireRelease(
        Effect.callback<string>((resume) => {
          server.listen(0, "127.0.0.1", () => {
            const address = server.address()
            resume(Effect.succeed(`http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`))
          })
        }),
        () =>
          Effect.sync(() => {
            server.closeAllConnections()
            server.close()
          })
      )
      const post = HttpClientRequest.bodyText(HttpClientRequest.post(`${origin}/token`), "client_secret=s3cret")
      const following = Layer.succeed(FetchHttpClient.RequestInit, { redirect: "follow" })
      for (const layer of [FetchHttpClient.layer, Layer.provideMerge(FetchHttpClient.layer, following)]) {
        const answer = yield* Effect.provide(SecureRequest.send(post, { secrets: [] }), layer)
        assert.deepStrictEqual([answer.status, answer.isRedirect, answer.bytes.length], [307, true, 0])
        const response = yield* Effect.provide(SecureRequest.open(post), layer)
        assert.strictEqual(response.status, 307)
      }
      assert.deepStrictEqual(seen, ["/token", "/token", "/token", "/token"])
    }))

  it.effect("shows texts in any language, on one line, and nothing of a secret", () =>
    Effect.gen(function*() {
      const answer = yield* answering({}, { secrets: [Redacted.make("client-secret-91ab3c")] })
      assert.strictEqual(answer.text("  Saldo\r\ninsuficiente\u202e 余额不足\u0000 "), "Saldo insuficiente 余额不足")
      assert.strictEqual(answer.text("x".repeat(600))?.length, 500)
      for (const nothing of [undefined, 7, "", "\u200b\n", "no client-secret-91ab3c here"]) {
        assert.isUndefined(answer.text(nothing))
      }
    }))

  it.effect("tells what the server calls the exchange, unless that is a secret", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* answering({ "x-tt-logid": "log-1", "x-request-id": "r-1" })).requestId, "log-1")
      assert.strictEqual((yield* answering({ "x-request-id": "r-1" })).requestId, "r-1")
      assert.isUndefined((yield* answering({})).requestId)
      const secrets = [Redacted.make("a-secret-of-twenty-characters")]
      const leaky = yield* answering({ "x-request-id": "a-secret-of-twenty-characters" }, { secrets })
      assert.isUndefined(leaky.requestId)
    }))

  const dripping = () =>
    Effect.sync(() => {
      const bytes = new TextEncoder().encode("{")
      return new Response(new ReadableStream({ start: (controller) => controller.enqueue(bytes) }))
    })

  for (
    const [what, respond, options, detail, after] of [
      ["no answer", () => Effect.never, {}, "headers", 15_000],
      ["no answer", () => Effect.never, { timeout: "10 seconds" }, "headers", 5000],
      ["no answer", () => Effect.never, { headersTimeout: "2 seconds" }, "headers", 2000],
      ["no answer", () => Effect.never, { headersTimeout: "1 minute" }, "total", 30_000],
      ["half an answer", dripping, {}, "body", 15_000],
      ["half an answer", dripping, { bodyTimeout: "3 seconds" }, "body", 3000],
      ["half an answer", dripping, { bodyTimeout: "1 minute", timeout: "4 seconds" }, "total", 4000]
    ] as const
  ) {
    it.effect(`gives up on ${what} after ${after} ms with ${JSON.stringify(options)}`, () =>
      Effect.gen(function*() {
        const fiber = yield* Effect.forkChild(Effect.flip(sendTo(respond, options)), { startImmediately: true })
        yield* TestClock.adjust(Duration.millis(after - 1))
        assert.isUndefined(fiber.pollUnsafe())
        yield* TestClock.adjust("1 millis")
        const { reason } = yield* Fiber.join(fiber)
        assert.deepStrictEqual([reason._tag, Reflect.get(reason, "detail")], ["Timeout", detail])
      }))
  }

  it.effect("asks for JSON as it is, and starts no trace on the other side", () =>
    Effect.gen(function*() {
      let headers: Readonly<Record<string, string | undefined>> = {}
      const client = HttpClient.make((request) => {
        headers = request.headers
        return Effect.succeed(HttpClientResponse.fromWeb(request, new Response("{}")))
      })
      yield* SecureRequest.send(request, { secrets: [] }).pipe(
        Effect.withSpan("call"),
        Effect.provideService(HttpClient.HttpClient, client)
      )
      assert.deepStrictEqual({ ...headers }, { accept: "application/json", "accept-encoding": "identity" })
    }))

  it.effect("reads no more than it may", () =>
    Effect.gen(function*() {
      const body = () => Effect.succeed(new Response(`"${"a".repeat(98)}"`))
      yield* sendTo(body, { maximumBytes: 100 })
      const error = yield* Effect.flip(sendTo(body, { maximumBytes: 99 }))
      assert.strictEqual(error.message, "invalid answer: body or token is too large (HTTP 200)")
    }))
})
