import { Answer, CozeOAuth } from "@effect-identity/testing"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber } from "effect"
import { as, ask, callers, entries, keys, wanting } from "./Entry.ts"

const layer = CozeOAuth.layer()

/** Strings of an answer that is a token, by name. */
const token = (answer: { readonly body: Readonly<Record<string, unknown>> }): string =>
  String(answer.body["access_token"])

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

const faults: ReadonlyArray<
  readonly [what: string, answers: ReadonlyArray<Answer.Answer>, status: number, code: string, told: string | undefined]
> = [
  [
    "a refusal",
    [Answer.json({ error_code: "access_deny", error_message: "no" }, { status: 400 })],
    502,
    "upstream_refused",
    "access_deny"
  ],
  [
    "a refusal under 200",
    [Answer.json({ error_code: "invalid_client", error_message: "" })],
    502,
    "upstream_refused",
    "invalid_client"
  ],
  ["{code, msg}", [Answer.json({ code: 4101, msg: "no" }, { status: 403 })], 502, "upstream_refused", "4101"],
  ["{error}", [Answer.refusal("invalid_request")], 502, "upstream_refused", "invalid_request"],
  ["404", [Answer.body("", { status: 404 })], 502, "upstream_status", "404"],
  ["a redirect", [Answer.redirect("http://127.0.0.1:1/")], 502, "upstream_status", "307"],
  ["HTML", [Answer.body("<p>no", { contentType: "text/html" })], 502, "upstream_invalid_answer", undefined],
  ["nothing", [Answer.body("")], 502, "upstream_invalid_answer", undefined],
  [
    "a token without an end it could have",
    [Answer.token({ expires_in: 900 })],
    502,
    "upstream_invalid_answer",
    undefined
  ],
  [
    "a token that has ended",
    [Answer.token({ expires_in: 1_600_000_000 })],
    502,
    "upstream_invalid_answer",
    undefined
  ],
  [
    "throttling",
    [Answer.json({}, { status: 429, headers: { "retry-after": "30" } })],
    502,
    "upstream_throttled",
    "429"
  ],
  ["an outage", Array.from({ length: 3 }, () => Answer.json({}, { status: 500 })), 502, "upstream_status", "500"],
  ["silence", [Answer.hang, Answer.hang], 504, "upstream_timeout", undefined],
  ["half an answer", [Answer.stall("{\"access_"), Answer.stall("{\"access_")], 504, "upstream_timeout", undefined]
]

/** A request whose body does not say how long it is. */
const streaming = (body: string): RequestInit => {
  const init = { ...as(keys.any), body: new Blob([body]).stream(), duplex: "half" }
  return init
}

for (const entry of entries) {
  describe(`the issuer, on ${entry.name}`, () => {
    const start = Effect.fnUntraced(function*(env: Readonly<Record<string, string>> = {}) {
      const coze = yield* CozeOAuth.CozeOAuth
      const issuer = yield* Effect.orDie(entry.start({ ...coze.env, ...callers, ...env }))
      return { coze, ...issuer }
    })

    it.live("gives a token for POST /, with its end and what is really left", () =>
      Effect.gen(function*() {
        const { coze, origin } = yield* start()
        const answer = yield* ask(`${origin}/`, as(keys.any))
        const now = (yield* Clock.currentTimeMillis) / 1000
        assert.strictEqual(answer.status, 200)
        assert.sameMembers(Object.keys(answer.body), ["access_token", "token_type", "expires_in", "expires_at"])
        assert.strictEqual(answer.body["token_type"], "Bearer")
        assert.closeTo(Number(answer.body["expires_in"]), 900, 2)
        assert.closeTo(Number(answer.body["expires_at"]), now + 900, 2)
        assert.deepInclude(yield* coze.grantOf(token(answer)), { sessionName: undefined, durationSeconds: 900 })
      }).pipe(Effect.provide(layer)))

    it.live("gives a token for the session of X-User-ID, and the one that is held to whoever asks again", () =>
      Effect.gen(function*() {
        const { coze, origin } = yield* start({ TOKEN_DURATION: "60" })
        const first = yield* ask(`${origin}/`, as(keys.any, { "x-user-id": "user123" }))
        const second = yield* ask(`${origin}/v1/tokens`, wanting(keys.any, { session: "user123" }))
        assert.strictEqual(token(first), token(second))
        assert.strictEqual(first.body["expires_at"], second.body["expires_at"])
        assert.deepInclude(yield* coze.grantOf(token(first)), { sessionName: "user123", durationSeconds: 60 })
        assert.lengthOf(yield* coze.requests, 1)
      }).pipe(Effect.provide(layer)))

    it.live("passes on what POST /v1/tokens wants", () =>
      Effect.gen(function*() {
        const { coze, origin } = yield* start()
        const scope = { account_permission: { permission_list: ["Connector.botChat"] } }
        const context = { device_info: { device_id: "d1" } }
        const answer = yield* ask(
          `${origin}/v1/tokens`,
          wanting(keys.any, { session: "ä ☃", session_context: context, duration_seconds: 90, scope })
        )
        assert.strictEqual(answer.status, 200)
        assert.deepStrictEqual(yield* coze.grantOf(token(answer)), {
          path: "/api/permission/oauth2/token",
          durationSeconds: 90,
          scope,
          sessionName: "ä ☃",
          sessionContext: context
        })
      }).pipe(Effect.provide(layer)))

    for (
      const [name, path] of [
        ["ACCOUNT_ID", "/api/permission/oauth2/account/42/token"],
        ["ENTERPRISE_ID", "/api/permission/oauth2/enterprise_id/42/token"]
      ] as const
    ) {
      it.live(`asks for the tokens of ${name}`, () =>
        Effect.gen(function*() {
          const { coze, origin } = yield* start({ [name]: "42" })
          const answer = yield* ask(`${origin}/`, as(keys.any))
          assert.strictEqual((yield* coze.grantOf(token(answer)))?.path, path)
        }).pipe(Effect.provide(layer)))
    }

    it.live("asks Coze once for 1,000 requests of one session", () =>
      Effect.gen(function*() {
        const { coze, origin } = yield* start()
        yield* coze.behave({ delay: "200 millis" })
        const tokens = yield* Effect.forEach(
          Array.from({ length: 1_000 }),
          () => Effect.map(ask(`${origin}/`, as(keys.any, { "x-user-id": "one" })), token),
          { concurrency: 100 }
        )
        assert.lengthOf(tokens, 1_000)
        assert.strictEqual(new Set(tokens).size, 1)
        assert.lengthOf(yield* coze.requests, 1)
      }).pipe(Effect.provide(layer)), 60_000)

    it.live(
      "W7: never crosses the tokens of 100 sessions that ask at once, again and again",
      () =>
        Effect.gen(function*() {
          const { coze, origin } = yield* start()
          yield* coze.behave({ delay: "50 millis" })
          const sessions = Array.from({ length: 100 }, (_, index) => `user-${index}`)
          const asked = [...sessions, ...sessions, ...sessions.toReversed()]
          const held = yield* Effect.forEach(
            asked,
            (session) =>
              Effect.map(
                ask(`${origin}/`, as(keys.any, { "x-user-id": session })),
                (answer) => [session, token(answer)] as const
              ),
            { concurrency: 100 }
          )
          for (const [session, accessToken] of held) {
            assert.strictEqual((yield* coze.grantOf(accessToken))?.sessionName, session)
          }
          assert.strictEqual(new Set(held.map(([, accessToken]) => accessToken)).size, 100)
          assert.lengthOf(yield* coze.requests, 100)
        }).pipe(Effect.provide(layer)),
      60_000
    )

    it.live("gives whoever comes later the token of a caller who has gone", () =>
      Effect.gen(function*() {
        const { coze, origin } = yield* start()
        yield* coze.behave({ delay: "300 millis" })
        const gone = yield* Effect.forkChild(ask(`${origin}/`, as(keys.any)), { startImmediately: true })
        yield* coze.requestsUntil((requests) => requests.length === 1)
        const next = yield* Effect.forkChild(ask(`${origin}/`, as(keys.any)), { startImmediately: true })
        yield* Fiber.interrupt(gone)
        assert.strictEqual((yield* Fiber.join(next)).status, 200)
        assert.strictEqual((yield* ask(`${origin}/`, as(keys.any))).status, 200)
        assert.isAtMost((yield* coze.requests).length, 2)
      }).pipe(Effect.provide(layer)))

    it.live(
      "replaces a token behind the back of callers, and hands out none that has ended",
      () =>
        Effect.gen(function*() {
          const { coze, origin } = yield* start({ TOKEN_DURATION: "4" })
          const seen = new Set<string>()
          const askOnce = Effect.gen(function*() {
            const answer = yield* ask(`${origin}/`, as(keys.any))
            assert.strictEqual(answer.status, 200)
            assert.isAbove(Number(answer.body["expires_at"]) + 1, (yield* Clock.currentTimeMillis) / 1000)
            seen.add(token(answer))
            return seen.size
          })
          yield* Effect.repeat(askOnce, { until: (tokens) => tokens === 4 })
          assert.isAtMost((yield* coze.requests).length, 5)
        }).pipe(Effect.provide(layer)),
      30_000
    )

    it.live("sends an assertion of its own with every attempt", () =>
      Effect.gen(function*() {
        const { coze, origin } = yield* start()
        yield* coze.script(Answer.json({}, { status: 503 }), Answer.json({ error_code: "internal_error" }))
        assert.strictEqual((yield* ask(`${origin}/`, as(keys.any))).status, 200)
        const requests = yield* coze.requests
        assert.lengthOf(requests, 3)
        assert.strictEqual(new Set(requests.map(({ headers }) => headers["authorization"])).size, 3)
      }).pipe(Effect.provide(layer)))

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
        assert.deepStrictEqual((yield* coze.grantOf(token(answer)))?.scope, { a: [1] })
      }).pipe(Effect.provide(layer)))

    it.live("W8: needs no memory: another one that starts anew gives tokens as well", () =>
      Effect.gen(function*() {
        const first = yield* start()
        const second = yield* start()
        for (const { origin } of [first, second]) {
          assert.strictEqual((yield* ask(`${origin}/`, as(keys.any))).status, 200)
        }
        assert.lengthOf(yield* first.coze.requests, 2)
      }).pipe(Effect.provide(layer)))

    it.live(
      "W6: tells what goes wrong at Coze by 502 and 504, with codes and the log id only",
      () =>
        Effect.gen(function*() {
          const { coze, origin } = yield* start({ TOKEN_TIMEOUT: "2" })
          for (const [what, answers, status, code, told] of faults) {
            yield* coze.script(...answers)
            const answer = yield* ask(`${origin}/`, as(keys.any, { "x-user-id": what }))
            assert.deepStrictEqual(
              [answer.status, answer.body["code"], answer.body["upstream_code"]],
              [status, code, told],
              what
            )
            assert.strictEqual(answer.headers.get("content-type"), "application/problem+json")
            assert.strictEqual(answer.headers.get("x-tt-logid") ?? undefined, answer.body["log_id"])
            if (code === "upstream_refused") assert.match(String(answer.body["log_id"]), /^loopback-log-\d+$/)
            if (code === "upstream_throttled") assert.strictEqual(answer.headers.get("retry-after"), "30")
          }
          assert.strictEqual((yield* ask(`${origin}/`, as(keys.any))).status, 200)
        }).pipe(Effect.provide(layer)),
      60_000
    )

    it.live("W6: tells that Coze cannot be reached, and comes back when it can", () =>
      Effect.gen(function*() {
        const { origin } = yield* start({ TOKEN_ENDPOINT: "http://127.0.0.1:1/token" })
        const answer = yield* ask(`${origin}/`, as(keys.any))
        assert.deepStrictEqual([answer.status, answer.body["code"]], [502, "upstream_unreachable"])
        const again = yield* ask(`${origin}/`, as(keys.any))
        assert.strictEqual(again.status, 502)
        assert.match(again.headers.get("retry-after") ?? "", /^\d+$/)
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
