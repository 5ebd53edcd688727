import { SecureRequest } from "@effect-identity/oauth"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Redacted } from "effect"
import { HttpClient, HttpClientRequest, HttpClientResponse } from "effect/http"
import { TestClock } from "effect/testing"

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
