import { CozeOAuth } from "@effect-identity/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { as, ask, callers, entries, keys, tokenOf, wanting } from "./Entry.ts"

const layer = CozeOAuth.layer()

const badBodies: ReadonlyArray<readonly [what: string, body: unknown, detail: RegExp]> = [
  ["no JSON", "{", /body must be a JSON object/],
  ["an array", [], /body must be a JSON object/],
  ["bytes that are not UTF-8", "\"\\ud800\"", /body must be a JSON object/],
  ["an unknown field", { sesion: "x" }, /and no others/],
  ["W5: duration 0", { duration_seconds: 0 }, /^duration_seconds must be a whole number from 1 to 86399$/],
  ["W5: duration -1", { duration_seconds: -1 }, /^duration_seconds must be/],
  ["W5: duration 86400", { duration_seconds: 86_400 }, /^duration_seconds must be/],
  ["W5: duration of text", { duration_seconds: "soon" }, /^duration_seconds must be/],
  ["W5: duration 1.5", { duration_seconds: 1.5 }, /^duration_seconds must be/],
  ["a longer life than configured", { duration_seconds: 901 }, /^duration_seconds must be at most 900$/],
  ["a session that is no text", { session: 7 }, /^session must be/],
  ["an empty session", { session: "" }, /^session must be/],
  ["a session of control characters", { session: "a\nb" }, /^session must be/],
  ["a session of half a character", { session: "\ud800" }, /^session must be/],
  ["a session of 10 KB", { session: "x".repeat(10_000) }, /^session must be/],
  ["a scope of text", { scope: "all" }, /^scope must be/],
  [
    "a scope that is deep",
    { scope: JSON.parse("{\"a\":".repeat(1000) + "1" + "}".repeat(1000)) },
    /^scope must be/
  ],
  ["null", { session_context: null }, /^session_context must be/]
]

/** A request whose body does not say how long it is. */
const streaming = (body: string): RequestInit => {
  const init = { ...as(keys.any), body: new Blob([body]).stream(), duplex: "half" }
  return init
}

for (const entry of entries) {
  describe(`what the issuer is asked, on ${entry.name}`, () => {
    const start = Effect.fnUntraced(function*(env: Readonly<Record<string, string>> = {}) {
      const coze = yield* CozeOAuth.CozeOAuth
      const issuer = yield* Effect.orDie(entry.start({ ...coze.env, ...callers, ...env }))
      return { coze, ...issuer }
    })

    it.live("W3: answers other methods with 405 and what is allowed, and lets no other origin read", () =>
      Effect.gen(function*() {
        const { coze, origin } = yield* start()
        const headers = { origin: "https://elsewhere.example", "access-control-request-method": "POST" }
        for (const path of ["/", "/v1/tokens"]) {
          for (const method of ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"]) {
            const answer = yield* Effect.promise(() => fetch(origin + path, { method, headers }))
            assert.strictEqual(answer.status, 405, `${method} ${path}`)
            assert.strictEqual(answer.headers.get("allow"), "POST")
            assert.isNull(answer.headers.get("access-control-allow-origin"))
          }
        }
        assert.strictEqual((yield* ask(`${origin}/v2/tokens`, as(keys.any))).body["code"], "not_found")
        assert.lengthOf(yield* coze.requests, 0)
      }).pipe(Effect.provide(layer)))

    it.live("W3: reads no large body, announced or not", () =>
      Effect.gen(function*() {
        const { coze, origin } = yield* start()
        const large = "x".repeat(17 * 1024)
        for (const path of ["/", "/v1/tokens"]) {
          const announced = yield* ask(origin + path, { ...wanting(keys.any, large) })
          assert.deepStrictEqual([announced.status, announced.body["code"]], [413, "content_too_large"])
          // Before it is looked at who sends it, and anything of it is read.
          assert.strictEqual((yield* ask(origin + path, { body: large })).status, 413)
          const streamed = yield* ask(origin + path, streaming(large))
          assert.deepStrictEqual([streamed.status, streamed.body["code"]], [413, "content_too_large"])
        }
        assert.lengthOf(yield* coze.requests, 0)
      }).pipe(Effect.provide(layer)))

    it.live("W5: refuses what it cannot meet by its name and rule, and asks Coze for nothing", () =>
      Effect.gen(function*() {
        const { coze, origin } = yield* start()
        for (const [what, body, detail] of badBodies) {
          const answer = yield* ask(`${origin}/v1/tokens`, wanting(keys.any, body))
          assert.deepStrictEqual([answer.status, answer.body["code"]], [400, "invalid_request"], what)
          assert.match(String(answer.body["detail"]), detail, what)
        }
        assert.lengthOf(yield* coze.requests, 0)
      }).pipe(Effect.provide(layer)))

    it.live("refuses a body of another kind", () =>
      Effect.gen(function*() {
        const { origin } = yield* start()
        const answer = yield* ask(`${origin}/v1/tokens`, { ...as(keys.any), body: "session=x" })
        assert.deepStrictEqual([answer.status, answer.body["code"]], [415, "unsupported_media_type"])
      }).pipe(Effect.provide(layer)))

    it.live("lets nobody set a scope beside its own", () =>
      Effect.gen(function*() {
        const { coze, origin } = yield* start({ TOKEN_SCOPE: JSON.stringify({ a: [1] }) })
        const refused = yield* ask(`${origin}/v1/tokens`, wanting(keys.any, { scope: { b: 1 } }))
        assert.strictEqual(refused.status, 400)
        const answer = yield* ask(`${origin}/`, as(keys.any))
        assert.deepStrictEqual((yield* coze.grantOf(tokenOf(answer)))?.scope, { a: [1] })
      }).pipe(Effect.provide(layer)))

    it.live("W9: gives every answer to its caller alone", () =>
      Effect.gen(function*() {
        const { origin } = yield* start()
        const answers = yield* Effect.all([
          ask(`${origin}/`, as(keys.any)),
          ask(`${origin}/`),
          ask(`${origin}/`, as("wrong")),
          ask(`${origin}/nowhere`),
          ask(`${origin}/`, { method: "PUT" }),
          ask(`${origin}/v1/tokens`, wanting(keys.any, "{")),
          ask(`${origin}/v1/health`, { method: "GET" }),
          ask(`${origin}/v1/openapi.json`, { method: "GET" })
        ])
        assert.deepStrictEqual(answers.map(({ status }) => status), [200, 401, 401, 404, 405, 400, 200, 200])
        for (const { headers } of answers) {
          assert.strictEqual(headers.get("cache-control"), "no-store")
          assert.strictEqual(headers.get("x-content-type-options"), "nosniff")
          assert.isNull(headers.get("set-cookie"))
          assert.deepStrictEqual([...headers.keys()].filter((name) => name.startsWith("access-control-")), [])
        }
      }).pipe(Effect.provide(layer)))

    it.live("W5: does not serve with settings that are wrong, and tells its operator all of them", () =>
      Effect.gen(function*() {
        const { env } = yield* CozeOAuth.CozeOAuth
        const { output } = yield* Effect.flip(entry.start({
          ...env,
          CLIENT_ID: "",
          KID: " ",
          TOKEN_DURATION: "86400",
          TOKEN_ENDPOINT: "http://api.coze.cn/token",
          CALLER_AUTH: "open"
        }))
        for (
          const rule of [
            "CLIENT_ID is missing",
            "KID is missing",
            "TOKEN_DURATION must be a whole number from 1 to 86399",
            "TOKEN_ENDPOINT must be an https URL",
            "CALLER_AUTH must be one of required, open-on-loopback",
            "CALLER_API_KEYS is missing, and so is CALLER_JWT_ISSUER: nobody could call"
          ]
        ) assert.include(output, rule)
      }).pipe(Effect.provide(layer)))
  })
}
