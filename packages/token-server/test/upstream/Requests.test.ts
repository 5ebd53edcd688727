import { SecureRequest } from "@effect-identity/oauth"
import { Answer, CognitoApi, SecretSweep, WeChat } from "@effect-identity/testing"
import * as Path from "@effect-identity/token-server/internal/realm/Path"
import * as Reading from "@effect-identity/token-server/internal/upstream/Reading"
import { Upstream } from "@effect-identity/token-server/internal/upstream/Upstream"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Exit, Fiber, Redacted, Result } from "effect"
import * as fc from "fast-check"
import type { Socket } from "node:net"
import * as Asking from "./Asking.ts"
import * as Canary from "./Canary.ts"

const values = ["loopback-appid", "loopback-appsecret"]

const reasonOf = <A, R>(effect: Effect.Effect<A, Effect.Error<ReturnType<typeof Asking.obtain>>, R>) =>
  Effect.flatMap(
    Effect.flip(effect),
    (failure) => failure === "superseded" ? Effect.die("superseded") : Effect.succeed(failure.reason)
  )

const plain = { token_path: "access_token", expires_in_path: "expires_in" }

describe("obtain", () => {
  it.live("confirms once it is connected, before a byte of the request has left", () =>
    Effect.gen(function*() {
      const canary = yield* Canary.make((socket) => socket.once("data", () => socket.end("HTTP/1.1 503 No\r\n\r\n")))
      const realm = Asking.realmOf({ ...plain, url: `http://127.0.0.1:${canary.port}/` })
      const seen: Array<readonly [number, number]> = []
      const beforeSend = Effect.sync(() => {
        seen.push([canary.connections(), canary.bytes()])
      })
      assert.deepInclude(yield* reasonOf(Asking.obtain(realm, values, { beforeSend })), { _tag: "Status", status: 503 })
      assert.deepStrictEqual(seen, [[1, 0]])
      assert.isAbove(canary.bytes(), 0)
    }).pipe(Effect.provide(Asking.layer)))

  it.live("sends nothing when it is not confirmed", () =>
    Effect.gen(function*() {
      const canary = yield* Canary.make()
      const realm = Asking.realmOf({ ...plain, url: `http://127.0.0.1:${canary.port}/` })
      const outcome = yield* Effect.flip(
        Asking.obtain(realm, values, { beforeSend: Effect.fail("superseded" as const) })
      )
      assert.strictEqual(outcome, "superseded")
      assert.strictEqual(canary.bytes(), 0)
    }).pipe(Effect.provide(Asking.layer)))

  it.live.each(
    [
      ["reset", (socket: Socket) => socket.resetAndDestroy()],
      ["closed", (socket: Socket) => socket.end()]
    ] as const
  )(
    "says so when the connection was %s while the right to ask was being confirmed",
    ([, lose]) =>
      Effect.gen(function*() {
        const closed = yield* Deferred.make<void>()
        const canary = yield* Canary.make((socket) => {
          socket.once("close", () => Deferred.doneUnsafe(closed, Exit.void))
          lose(socket)
        })
        const weChat = yield* WeChat.WeChat
        const realm = Asking.realmOf({ ...plain, url: `http://127.0.0.1:${canary.port}/` })
        const other = Asking.realmOf({ preset: "wechat", url: weChat.tokenUrl }, "other")
        // What else goes on takes long enough for this side to see it, too.
        const beforeSend = Deferred.await(closed).pipe(
          Effect.andThen(Effect.orDie(Asking.obtain(other, values))),
          Effect.asVoid
        )
        const reason = yield* reasonOf(
          Upstream.use(({ obtain }) => obtain(realm, Asking.valuesOf(...values), beforeSend))
        )
        assert.deepInclude(reason, { _tag: "Transport", detail: "reset" })
      }).pipe(Effect.provide([Asking.layer, WeChat.layer()]))
  )

  it.live("takes the realm's timeout at most, whatever takes the time", () =>
    Effect.gen(function*() {
      const canary = yield* Canary.make()
      const realm = Asking.realmOf({ ...plain, url: `http://127.0.0.1:${canary.port}/`, timeout_ms: 100 })
      assert.strictEqual((yield* reasonOf(Asking.obtain(realm, values)))._tag, "Timeout")
      const reason = yield* reasonOf(Asking.obtain(realm, values, { beforeSend: Effect.never }))
      assert.deepInclude(reason, { _tag: "Timeout", detail: "total" })
      assert.strictEqual(canary.connections(), 2)
    }).pipe(Effect.provide(Asking.layer)))

  it.live("follows no redirect, tells no third party of traces, and asks once", () =>
    Effect.gen(function*() {
      const canary = yield* Canary.make()
      const weChat = yield* WeChat.WeChat
      const realm = Asking.realmOf({ preset: "wechat", url: weChat.tokenUrl })
      for (const status of [301, 302, 303, 307, 308]) {
        yield* weChat.script("token", Answer.redirect(`http://127.0.0.1:${canary.port}/`, status))
        assert.deepInclude(yield* reasonOf(Asking.obtain(realm, values)), { _tag: "Status", status })
      }
      yield* weChat.script("token", Answer.json({}, { status: 503 }))
      assert.strictEqual((yield* reasonOf(Asking.obtain(realm, values)))._tag, "Status")
      const requests = yield* weChat.requests
      assert.lengthOf(requests, 6)
      for (const { headers } of requests) {
        assert.notProperty(headers, "traceparent")
        assert.notProperty(headers, "b3")
      }
      assert.strictEqual(canary.connections(), 0)
    }).pipe(Effect.withSpan("caller"), Effect.provide([Asking.layer, WeChat.layer()])))

  it.live("keeps a slow upstream to its own realm, and tells who would wait too long to go", () =>
    Effect.gen(function*() {
      const slow = yield* CognitoApi.CognitoApi
      const fast = yield* WeChat.WeChat
      yield* slow.behave({ delay: "1 hour" })
      const realm = Asking.realmOf({
        preset: "client_credentials",
        url: slow.tokenEndpoint,
        concurrency: 2,
        timeout_ms: 60_000
      }, "slow")
      const waiting = yield* Effect.forEach(
        Array.from({ length: 66 }),
        () => Effect.forkChild(Asking.obtain(realm, [slow.clientId, slow.clientSecret]))
      )
      yield* slow.requestsUntil((requests) => requests.length === 2)
      const refused = yield* reasonOf(Asking.obtain(realm, values))
      assert.deepInclude(refused, { _tag: "Unusable", detail: "queue" })
      const other = Asking.realmOf({ preset: "wechat", url: fast.tokenUrl }, "fast")
      yield* Asking.obtain(other, values)
      assert.lengthOf(yield* slow.requests, 2)
      yield* Fiber.interruptAll(waiting)
      yield* slow.behave({ delay: 0 })
      yield* Asking.obtain(realm, [slow.clientId, slow.clientSecret])
    }).pipe(Effect.provide([Asking.layer, CognitoApi.layer(), WeChat.layer()])))

  it.live("shows no secret, whatever goes wrong", () =>
    Effect.gen(function*() {
      const weChat = yield* WeChat.WeChat
      const { port: unused } = yield* Effect.scoped(Canary.make())
      const secrets = { secret: "appsecret-5d41402abc4b2a76", appid: "wx-c4n4ry-1234567890" }
      const given = [secrets.appid, secrets.secret]
      const realm = Asking.realmOf({ preset: "wechat", url: weChat.tokenUrl, timeout_ms: 200 })
      const header = { name: "x-api-key", place: "header", value: "$key_2" }
      const inHeader = Asking.realmOf({ preset: "wechat", url: weChat.tokenUrl, arguments: [header] })
      const echo = (status: number) =>
        Answer.json({ errcode: secrets.secret, errmsg: `no ${secrets.secret}` }, { status })
      yield* weChat.script(
        "token",
        echo(200),
        echo(400),
        Answer.body(`no ${secrets.secret}`),
        Answer.redirect(`/${secrets.secret}`),
        Answer.json({ access_token: `${secrets.secret} x`, expires_in: 7200 }),
        Answer.json({ access_token: "token", expires_in: secrets.secret }),
        Answer.hang
      )
      const nobody = Asking.realmOf({ preset: "wechat", url: `http://127.0.0.1:${unused}/token` })
      const failing = [
        ...Array.from({ length: 7 }, () => Asking.obtain(realm, given)),
        Asking.obtain(nobody, given),
        Asking.obtain(inHeader, [secrets.appid, `${secrets.secret}\r\nx: y`]),
        Asking.obtain(inHeader, [secrets.appid]),
        Asking.obtain(Asking.realmOf({ preset: "coze_jwt", url: weChat.tokenUrl }), [...given, secrets.secret])
      ]
      for (const [index, each] of failing.entries()) {
        const { exit, shown } = yield* SecretSweep.watch(each)
        assert.isTrue(Exit.isFailure(exit), String(index))
        assert.deepStrictEqual(SecretSweep.find(shown, secrets), [], String(index))
      }
      yield* weChat.script("token", Answer.json({ access_token: "t0ken-t0ken-t0ken", expires_in: 7200 }))
      const { exit, shown } = yield* SecretSweep.watch(Asking.obtain(realm, given))
      const found = { ...secrets, token: "t0ken-t0ken-t0ken" }
      assert.deepStrictEqual(SecretSweep.find([shown, String(exit), JSON.stringify(exit)], found), [])
    }).pipe(Effect.provide([Asking.layer, WeChat.layer()])))
})

const answerOf = (body: string | object, { status = 200, headers = {} } = {}) =>
  new SecureRequest.Answer({
    status,
    headers,
    requestId: undefined,
    retryAfter: undefined,
    requestedAt: { wall: 1_700_000_000_000, monotonic: 0 },
    bytes: new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body)),
    secrets: []
  })

const sourceOf = (config: object) => {
  const { source } = Asking.realmOf({ url: "https://issuer.example/", ...config })
  assert(source._tag === "Request")
  return source
}

const read = (body: string | object, config: object, status = 200) =>
  Result.match(Reading.read(answerOf(body, { status }), sourceOf(config)), {
    onSuccess: ({ lifetime, value }) => `${Redacted.value(value)} ${Duration.toMillis(lifetime)}`,
    onFailure: ({ message }) => message
  })

const nothing = "the answer holds no token, or no life of it, where the realm says"

describe("an answer", () => {
  it("is read along paths of names and places, of its own members only", () => {
    const at = (token_path: string, body: string | object) => read(body, { token_path, expires_in: 60 })
    assert.strictEqual(at("token", { token: "t" }), "t 60000")
    assert.strictEqual(at("data.tokens.1.value", { data: { tokens: [{}, { value: "t" }] } }), "t 60000")
    assert.strictEqual(at("toString", "{}"), nothing)
    assert.strictEqual(at("data.length", { data: ["a"] }), nothing)
    assert.strictEqual(at("data.at", { data: ["a"] }), nothing)
    assert.strictEqual(at("data.01", { data: ["a", "b"] }), nothing)
    assert.strictEqual(at("data.-1", { data: ["a", "b"] }), nothing)
    assert.strictEqual(at("data.0", { data: "ab" }), nothing)
    assert.strictEqual(at("data.token", { data: null }), nothing)
    assert.strictEqual(at("token", `{"__proto__": {"token": "t"}}`), nothing)
    for (const token of [1, "", " ", "a b", "a\nb", "ä", null, {}, ["t"]]) {
      assert.strictEqual(at("token", { token }), nothing, JSON.stringify(token))
    }
    for (const name of ["toString", "hasOwnProperty", "valueOf"]) {
      assert.isUndefined(Path.read(new Map([["data", {}]]), ["data", name]))
      assert.isUndefined(Path.read(new Map(), [name]))
    }
    assert.strictEqual(at("token", "[]"), "invalid answer: body is not a JSON object (HTTP 200)")
    assert.strictEqual(at("token", `{"token": "a", "token": "b"}`), "invalid answer: a field is given twice (HTTP 200)")
    assert.strictEqual(at("token", "t"), "invalid answer: body is not JSON (HTTP 200)")
  })

  it("tells the life of a token in any of five ways", () => {
    const life = (end: unknown, unit: string) =>
      read({ token: "t", end }, { token_path: "token", expires_in_path: "end", expires_in_unit: unit })
    assert.strictEqual(life(7200, "seconds"), "t 7200000")
    assert.strictEqual(life("7200", "seconds"), "t 7200000")
    assert.strictEqual(life(0.5, "seconds"), "t 500")
    assert.strictEqual(life(7200, "milliseconds"), "t 7200")
    assert.strictEqual(life(1_700_000_060, "unix_seconds"), "t 60000")
    assert.strictEqual(life(1_700_000_000_999, "unix_milliseconds"), "t 999")
    assert.strictEqual(life("2023-11-14T22:14:20Z", "date_time"), "t 60000")
    assert.strictEqual(life("2023-11-15T06:14:20.5+08:00", "date_time"), "t 60500")
    assert.strictEqual(life(1e300, "seconds"), `t ${366 * 24 * 3_600_000}`)
    for (const [end, unit] of [[0, "seconds"], [-1, "seconds"], [1_600_000_000, "unix_seconds"]] as const) {
      assert.strictEqual(life(end, unit), "invalid answer: token has already expired (HTTP 200)")
    }
    for (const end of ["", "1e3", " 1", "0x10", true, {}, "2023-11-14T22:14:20Z"]) {
      assert.strictEqual(life(end, "seconds"), "invalid answer: expires_in is not a number of seconds (HTTP 200)")
    }
    assert.include(life("2023-99-99T99:99:99Z", "date_time"), "invalid answer")
    assert.include(life("1700000060", "date_time"), "invalid answer")
    assert.strictEqual(life(undefined, "seconds"), nothing)
    assert.strictEqual(read({ token: "t" }, { token_path: "token", expires_in_path: "end", expires_in: 5 }), "t 5000")
  })

  it("says no by status, by what a realm looks at, and by what most look at where there is no token", () => {
    const errors = [{ path: "base.code", success: [0, "ok"], retryable: [7] }]
    const config = { token_path: "token", expires_in: 60, errors }
    assert.strictEqual(read({ token: "t", base: { code: 0 } }, config), "t 60000")
    assert.strictEqual(read({ token: "t", base: { code: "ok" } }, config), "t 60000")
    assert.strictEqual(read({ token: "t" }, config), "t 60000")
    assert.strictEqual(read({ token: "t", base: { code: 7 } }, config), "refused (7) (HTTP 200)")
    const usual = { token_path: "token", expires_in: 60 }
    assert.strictEqual(read({ token: "t", code: 200 }, usual), "t 60000")
    assert.strictEqual(read({ errcode: 40_013 }, usual), "refused (40013) (HTTP 200)")
    assert.strictEqual(read({ error: "invalid_client" }, usual, 400), "refused (invalid_client) (HTTP 400)")
    assert.strictEqual(read({ error: { message: "no" } }, usual, 400), "refused (HTTP 400)")
    assert.strictEqual(read("<html>", usual, 502), "HTTP 502")
    assert.strictEqual(read({ error: "slow_down" }, usual, 429), "throttled, slow_down (HTTP 429)")
  })

  it("never makes the reader throw, nor look at what is inherited", () => {
    const name = fc.oneof(fc.constantFrom("constructor", "toString", "length", "0", "a", "__proto__"), fc.string())
    const json = fc.jsonValue({ maxDepth: 4 })
    fc.assert(fc.property(fc.array(name, { maxLength: 20 }), fc.dictionary(name, json), (names, body) => {
      const path = Path.parse(names.join("."))
      if (path === undefined) return
      const found = Path.read(new Map(Object.entries(body)), path)
      assert.notStrictEqual(typeof found, "function")
      if (found !== undefined) assert.include(JSON.stringify(body), JSON.stringify(found))
    }))
    const usual = sourceOf({ token_path: "a.0.b", expires_in_path: "c", expires_in_unit: "date_time" })
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), fc.integer({ min: 100, max: 599 }), (body, status) => {
      Reading.read(answerOf(body, { status }), usual)
    }))
  })
})
