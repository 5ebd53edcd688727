import { AccessToken, BearerAuth, SecureUrl, TokenCache } from "@effect-identity/oauth"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Redacted, Result, Stream, Tracer } from "effect"
import { HttpBody, HttpClient, HttpClientRequest, HttpClientResponse } from "effect/http"
import { TestClock } from "effect/testing"

const origin = Result.getOrThrow(SecureUrl.parse("https://api.example/base"))

interface Sent {
  readonly bearer: string
  readonly body: string
}

/** An API that takes only one token, and tokens that are numbered as they are asked for. */
const make = Effect.fnUntraced(function*(
  answer: (bearer: string, nth: number) => number,
  { value = (nth: number) => `token-${nth}` } = {}
) {
  const sent: Array<Sent> = []
  let minted = 0
  let discarded = 0
  const server = HttpClient.make((request) =>
    Effect.sync(() => {
      const { body } = request
      const bearer = request.headers["authorization"] ?? ""
      sent.push({ bearer, body: body._tag === "Uint8Array" ? new TextDecoder().decode(body.body) : body._tag })
      const status = answer(bearer, sent.length)
      const pulled = new ReadableStream({
        pull: (controller) => {
          discarded++
          controller.enqueue(new Uint8Array(1))
          if (status === 200) controller.close()
        }
      }, { highWaterMark: 0 })
      return HttpClientResponse.fromWeb(request, new Response(pulled, { status }))
    })
  )
  const cache = yield* TokenCache.make()
  const source = Effect.suspend(() => {
    minted++
    return Effect.delay(AccessToken.make({ value: Redacted.make(value(minted)), lifetime: "1 hour" }), "1 millis")
  })
  const tokens = BearerAuth.fromCache(cache, "app", source)
  return {
    client: BearerAuth.apply(server, { origin, tokens }),
    held: Effect.asVoid(tokens.get),
    sent,
    minted: () => minted,
    discarded: () => discarded
  }
})

const only = (token: string) => (bearer: string) => bearer === `Bearer ${token}` ? 200 : 401

describe("BearerAuth", () => {
  it.live("presents the token", () =>
    Effect.gen(function*() {
      const { client, sent } = yield* make(only("token-1"))
      assert.strictEqual((yield* client.get("https://api.example/wallets")).status, 200)
      assert.deepStrictEqual(sent.map(({ bearer }) => bearer), ["Bearer token-1"])
    }))

  it.live("replaces a token that is refused, once, and repeats the request as it was", () =>
    Effect.gen(function*() {
      const { client, discarded, held, sent } = yield* make(only("token-2"))
      yield* held
      const response = yield* client.post("https://api.example/wallets", { body: HttpBody.text("a body") })
      assert.strictEqual(response.status, 200)
      assert.deepStrictEqual(sent, [
        { bearer: "Bearer token-1", body: "a body" },
        { bearer: "Bearer token-2", body: "a body" }
      ])
      assert.isAtMost(discarded(), 17, "the refused answer was read on and on")
    }))

  it.effect("does not replace a token that was asked for after the request began, in the same millisecond too", () =>
    Effect.gen(function*() {
      let rejected = 0
      const tokens = {
        get: Effect.delay(AccessToken.make({ value: Redacted.make("token"), lifetime: "1 hour" }), "200 micros"),
        reject: () => Effect.sync(() => ++rejected > 0)
      }
      const answer = yield* Effect.forkChild(
        BearerAuth.use(tokens, () => Effect.succeed("refused"), { isRefused: () => true }),
        { startImmediately: true }
      )
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* Fiber.join(answer), "refused")
      assert.strictEqual(rejected, 0)
    }))

  it.live("costs one new token when 1,000 requests are refused at once", () =>
    Effect.gen(function*() {
      const { client, held, minted } = yield* make(only("token-2"))
      yield* held
      const responses = yield* Effect.all(
        Array.from({ length: 1000 }, () => client.get("https://api.example/")),
        { concurrency: "unbounded" }
      )
      assert.isTrue(responses.every(({ status }) => status === 200))
      assert.strictEqual(minted(), 2)
    }))

  it.live("does not replace a token that was obtained for this very request", () =>
    Effect.gen(function*() {
      const { client, minted, sent } = yield* make(only("none"))
      assert.strictEqual((yield* client.get("https://api.example/")).status, 401)
      assert.strictEqual(minted(), 1)
      assert.lengthOf(sent, 1)
    }))

  it.live("costs one new token when everything is refused for ever", () =>
    Effect.gen(function*() {
      const { client, held, minted } = yield* make(only("none"))
      yield* held
      for (let call = 0; call < 50; call++) {
        assert.strictEqual((yield* client.get("https://api.example/")).status, 401)
      }
      assert.strictEqual(minted(), 2)
    }))

  it.live("leaves everything but 401 as it is", () =>
    Effect.gen(function*() {
      for (const status of [200, 302, 403, 407, 500]) {
        const { client, held, minted, sent } = yield* make(() => status)
        yield* held
        assert.strictEqual((yield* client.get("https://api.example/")).status, status)
        assert.deepStrictEqual([minted(), sent.length], [1, 1])
      }
    }))

  for (
    const [what, body, times] of [
      ["a stream", HttpBody.stream(Stream.make(new Uint8Array(1))), 1],
      ["something only the transport understands", HttpBody.raw(new ReadableStream()), 1],
      ["an object only the transport understands", HttpBody.raw({}), 1],
      ["raw text", HttpBody.raw("text"), 2],
      ["raw bytes", HttpBody.raw(new Uint8Array(1)), 2],
      ["a raw buffer", HttpBody.raw(new ArrayBuffer(1)), 2],
      ["a blob", HttpBody.raw(new Blob(["b"])), 2],
      ["raw parameters", HttpBody.raw(new URLSearchParams("a=b")), 2],
      ["a form", HttpBody.formData(new FormData()), 2],
      ["nothing", HttpBody.empty, 2]
    ] as const
  ) {
    it.live(`sends a body that is ${what} ${times === 1 ? "once, and drops the token" : "again"}`, () =>
      Effect.gen(function*() {
        const { client, held, minted, sent } = yield* make(only("token-2"))
        yield* held
        const request = HttpClientRequest.setBody(HttpClientRequest.post("https://api.example/"), body)
        assert.strictEqual((yield* client.execute(request)).status, times === 1 ? 401 : 200)
        assert.lengthOf(sent, times)
        yield* held
        assert.strictEqual(minted(), 2)
      }))
  }

  for (
    const url of ["https://api.example.evil/", "http://api.example/", "https://api.example:444/", "/wallets", "x"]
  ) {
    it.live(`sends nothing to ${url}`, () =>
      Effect.gen(function*() {
        const { client, minted, sent } = yield* make(() => 200)
        const error = yield* Effect.flip(client.get(url))
        assert.instanceOf(error, BearerAuth.UnsignableRequest)
        assert.strictEqual(error.message, "the request does not go to the origin the token is for")
        assert.deepStrictEqual([sent.length, minted()], [0, 0])
      }))
  }

  for (const value of ["line\nbreak", "bl ank", "tökén", "", "a\u007f"]) {
    it.live(`sends no header with ${JSON.stringify(value)} in it`, () =>
      Effect.gen(function*() {
        const { client, sent } = yield* make(() => 200, { value: () => value })
        const exit = yield* Effect.exit(client.get("https://api.example/"))
        assert.isTrue(Exit.isFailure(exit))
        const error = yield* Effect.flip(client.get("https://api.example/"))
        assert.strictEqual(error.message, "the token has characters that a header cannot carry")
        assert.lengthOf(sent, 0)
      }))
  }

  it.live("tells the span that it asked twice", () =>
    Effect.gen(function*() {
      const { client, held } = yield* make(only("token-2"))
      yield* held
      const span = yield* Effect.scoped(Effect.gen(function*() {
        yield* client.get("https://api.example/")
        return yield* Effect.currentSpan
      })).pipe(Effect.withSpan("call"))
      assert.strictEqual(span.attributes.get("http.request.resend_count"), 1)
      assert.strictEqual(span.attributes.get("token_cache.reason"), "rejected")
      assert.instanceOf(span, Tracer.NativeSpan)
    }))

  it.live("uses what it is told is refused, whatever that is", () =>
    Effect.gen(function*() {
      let rejected = 0
      const tokens: BearerAuth.Tokens<never> = {
        get: AccessToken.make({ value: Redacted.make("t"), lifetime: "1 hour" }).pipe(
          Effect.map((token) =>
            new AccessToken.AccessToken({ ...token, requestedAt: { ...token.requestedAt, monotonic: 0 } })
          )
        ),
        reject: () => Effect.sync(() => ++rejected < 2)
      }
      let sent = 0
      const send = () => Effect.sync(() => ++sent)
      const isRefused = (answer: number) => answer < 3
      assert.strictEqual(yield* BearerAuth.use(tokens, send, { isRefused }), 2)
      assert.strictEqual(yield* BearerAuth.use(tokens, send, { isRefused: () => false }), 3)
      assert.strictEqual(rejected, 1)
      assert.strictEqual(yield* BearerAuth.use(tokens, send, { isRefused: () => true }), 4)
      assert.strictEqual(rejected, 2)
    }))
})
