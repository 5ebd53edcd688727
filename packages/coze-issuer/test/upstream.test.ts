import { Answer, CozeOAuth } from "@effect-identity/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as jose from "jose"
import { createPublicKey } from "node:crypto"
import { as, ask, callers, entries, keys } from "./Entry.ts"

const layer = CozeOAuth.layer()

interface Fault {
  readonly what: string
  readonly answers: ReadonlyArray<Answer.Answer>
  readonly status: number
  readonly code: string
  /** What callers are told of it besides. */
  readonly told?: string
}

const faults: ReadonlyArray<Fault> = [
  {
    what: "R8: a refusal",
    answers: [Answer.json({ error_code: "access_deny", error_message: "no" }, { status: 400 })],
    status: 502,
    code: "upstream_refused",
    told: "access_deny"
  },
  {
    what: "R8: a refusal under 200",
    answers: [Answer.json({ error_code: "invalid_client", error_message: "" })],
    status: 502,
    code: "upstream_refused",
    told: "invalid_client"
  },
  {
    what: "R8: {code, msg}",
    answers: [Answer.json({ code: 4101, msg: "no" }, { status: 403 })],
    status: 502,
    code: "upstream_refused",
    told: "4101"
  },
  ...["invalid_request", "invalid_grant", "invalid_scope", "unsupported_grant_type"].map((told) => ({
    what: `R9, R10: ${told}`,
    answers: [Answer.refusal(told)],
    status: 502,
    code: "upstream_refused",
    told
  })),
  {
    what: "R12: a code that nobody knows, with control characters and markup",
    answers: [Answer.json({ error: "\u0007<b>odd", error_description: "\u001b[31m<script>" }, { status: 400 })],
    status: 502,
    code: "upstream_refused",
    told: "400"
  },
  { what: "404", answers: [Answer.body("", { status: 404 })], status: 502, code: "upstream_status", told: "404" },
  {
    what: "a redirect",
    answers: [Answer.redirect("http://127.0.0.1:1/")],
    status: 502,
    code: "upstream_status",
    told: "307"
  },
  {
    what: "HTML",
    answers: [Answer.body("<p>no", { contentType: "text/html" })],
    status: 502,
    code: "upstream_invalid_answer"
  },
  { what: "nothing", answers: [Answer.body("")], status: 502, code: "upstream_invalid_answer" },
  {
    what: "a life instead of an end",
    answers: [Answer.token({ expires_in: 900 })],
    status: 502,
    code: "upstream_invalid_answer"
  },
  {
    what: "a token that has ended",
    answers: [Answer.token({ expires_in: 1_600_000_000 })],
    status: 502,
    code: "upstream_invalid_answer"
  },
  {
    what: "R3: throttling",
    answers: [Answer.json({}, { status: 429, headers: { "retry-after": "30" } })],
    status: 502,
    code: "upstream_throttled",
    told: "429"
  },
  {
    what: "R7: an outage",
    answers: Array.from({ length: 3 }, () => Answer.json({}, { status: 500 })),
    status: 502,
    code: "upstream_status",
    told: "500"
  },
  { what: "silence", answers: [Answer.hang, Answer.hang], status: 504, code: "upstream_timeout" },
  {
    what: "half an answer",
    answers: [Answer.stall("{\"access_"), Answer.stall("{\"access_")],
    status: 504,
    code: "upstream_timeout"
  }
]

/** The assertions that have arrived, as `jose` verifies them with the public half of the key. */
const assertionsAt = ({ audience, env, privateKey, requests }: CozeOAuth.CozeOAuth["Service"]) =>
  Effect.flatMap(
    requests,
    (requests) =>
      Effect.forEach(requests, ({ headers }) =>
        Effect.promise(() =>
          jose.jwtVerify(headers["authorization"]?.slice("Bearer ".length) ?? "", createPublicKey(privateKey), {
            algorithms: ["RS256"],
            audience,
            issuer: env["CLIENT_ID"] ?? "",
            maxTokenAge: "10 minutes",
            requiredClaims: ["iat", "exp", "jti"]
          })
        ))
  )

for (const entry of entries) {
  describe(`the issuer and Coze, on ${entry.name}`, () => {
    const start = Effect.fnUntraced(function*(env: Readonly<Record<string, string>> = {}) {
      const coze = yield* CozeOAuth.CozeOAuth
      const issuer = yield* Effect.orDie(entry.start({ ...coze.env, ...callers, ...env }))
      return { coze, ...issuer }
    })

    it.live("R6, R11, W10: sends an assertion of its own with every attempt, which jose verifies", () =>
      Effect.gen(function*() {
        const { coze, origin } = yield* start()
        yield* coze.script(Answer.json({}, { status: 503 }), Answer.json({ error_code: "internal_error" }))
        assert.strictEqual((yield* ask(`${origin}/`, as(keys.any, { "x-user-id": "one" }))).status, 200)
        yield* coze.script(Answer.refusal("temporarily_unavailable"))
        assert.strictEqual((yield* ask(`${origin}/`, as(keys.any, { "x-user-id": "two" }))).status, 200)
        const assertions = yield* assertionsAt(coze)
        assert.deepStrictEqual(assertions.map(({ payload }) => payload["session_name"]), [
          "one",
          "one",
          "one",
          "two",
          "two"
        ])
        assert.strictEqual(new Set(assertions.map(({ payload }) => payload.jti)).size, 5)
        for (const { payload, protectedHeader } of assertions) {
          assert.deepStrictEqual(protectedHeader, { alg: "RS256", typ: "JWT", kid: "loopback-key-fingerprint" })
          assert.sameMembers(Object.keys(payload), ["iss", "aud", "iat", "exp", "jti", "session_name"])
          assert.lengthOf(Buffer.from(payload.jti ?? "", "base64url"), 32)
          assert.isAtMost((payload.exp ?? 0) - (payload.iat ?? 0), 600)
        }
      }).pipe(Effect.provide(layer)))

    it.live(
      "W6: tells what goes wrong at Coze by 502 and 504, with codes and the log id only",
      () =>
        Effect.gen(function*() {
          const { coze, origin } = yield* start({ TOKEN_TIMEOUT: "2" })
          for (const { answers, code, status, told, what } of faults) {
            const before = (yield* coze.requests).length
            yield* coze.script(...answers)
            const answer = yield* ask(`${origin}/`, as(keys.any, { "x-user-id": what }))
            assert.deepStrictEqual(
              [answer.status, answer.body["code"], answer.body["upstream_code"]],
              [status, code, told],
              what
            )
            // A refusal is asked for once, and whatever may pass until it does not.
            assert.lengthOf(yield* coze.requests, before + answers.length, what)
            assert.strictEqual(answer.headers.get("content-type"), "application/problem+json")
            assert.strictEqual(answer.headers.get("x-tt-logid") ?? undefined, answer.body["log_id"])
            assert.notProperty(answer.body, "detail")
            if (code === "upstream_refused") assert.match(String(answer.body["log_id"]), /^loopback-log-\d+$/)
            if (code === "upstream_throttled") assert.strictEqual(answer.headers.get("retry-after"), "30")
          }
          assert.strictEqual((yield* ask(`${origin}/`, as(keys.any))).status, 200)
        }).pipe(Effect.provide(layer)),
      60_000
    )

    it.live("tells its operator what Coze said, and its callers that it refused", () =>
      Effect.gen(function*() {
        const { coze, origin, output } = yield* start()
        const message = "invalid jwt: kid not been registred"
        yield* coze.script(Answer.json({ error_code: "invalid_client", error_message: message }, { status: 401 }))
        const { text } = yield* ask(`${origin}/`, as(keys.any))
        assert.notInclude(text, message)
        assert.include(output(), message)
        assert.match(output(), /loopback-log-\d/)
        assert.include(output(), "upstream_refused")
      }).pipe(Effect.provide(layer)))

    it.live("W6: tells that Coze cannot be reached, and comes back when it can", () =>
      Effect.gen(function*() {
        const { origin } = yield* start({ TOKEN_ENDPOINT: "http://127.0.0.1:1/token" })
        const answer = yield* ask(`${origin}/`, as(keys.any))
        assert.deepStrictEqual([answer.status, answer.body["code"]], [502, "upstream_unreachable"])
        const again = yield* ask(`${origin}/`, as(keys.any))
        assert.strictEqual(again.status, 502)
        assert.match(again.headers.get("retry-after") ?? "", /^\d+$/)
      }).pipe(Effect.provide(layer)))
  })
}
