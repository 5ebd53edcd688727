/**
 * R: what is answered with another status than 200, and when to come again.
 */
import { Answer } from "@effect-identity/testing"
import { Duration, Effect } from "effect"
import * as assert from "node:assert/strict"
import * as RawServer from "./RawServer.ts"
import { row } from "./Row.ts"
import { describe, failing, failure, onPlatform, steps, told } from "./Workload.ts"

const throttled = (headers: Readonly<Record<string, string>>) => Answer.body("", { status: 429, headers })

/** Answers of one step, how it ends, and how often each step was asked. */
const scripted = (
  step: "idToken" | "accessToken",
  answers: ReadonlyArray<Answer.Answer>,
  expected: string,
  requests: string
) =>
  Effect.gen(function*() {
    const { identity, platform } = yield* onPlatform()
    yield* platform.script(step, ...answers)
    const caller = expected === "a token"
      ? yield* Effect.as(identity.accessToken, expected)
      : describe(yield* failing(identity.accessToken, expected))
    const seen = told(yield* steps(platform))
    assert.equal(seen, requests)
    return { caller, other: seen }
  })

const redirected = (location: (origin: string) => string, statuses: ReadonlyArray<number>) =>
  Effect.gen(function*() {
    const elsewhere = yield* RawServer.make((socket) => socket.end(RawServer.answer(RawServer.token("stolen"))))
    for (const status of statuses) {
      const { identity, platform } = yield* onPlatform()
      yield* platform.script("idToken", Answer.redirect(location(elsewhere.origin), status))
      yield* failing(identity.accessToken, `TokenRetrievalError Status(${status})`)
      assert.equal((yield* platform.requests).length, 1)
    }
    assert.equal(elsewhere.seen.length, 0)
    return { caller: `TokenRetrievalError Status for ${statuses.join(", ")}`, other: "the target saw 0 connections" }
  })

/** Throttled for longer than the call may take: it fails at once, and nobody asks meanwhile. */
const throttledFor = (headers: Readonly<Record<string, string>>, from: number, to = from) =>
  Effect.gen(function*() {
    const { identity, platform } = yield* onPlatform({ config: { timeout: "4 seconds" } })
    yield* platform.script("idToken", throttled(headers))
    const error = yield* failing(identity.accessToken, "TokenRetrievalError Throttled(429)")
    const wait = error.retryAfterMs ?? Number.NaN
    assert.ok(wait >= from && wait <= to, `waits ${wait} ms`)
    for (let caller = 0; caller < 100; caller++) {
      const told = yield* failing(identity.accessToken, "TokenRetrievalError Throttled(429)")
      assert.ok((told.retryAfterMs ?? Number.NaN) <= to)
    }
    assert.equal((yield* platform.requests).length, 1)
    return { caller: `${describe(error)}, retryAfterMs ${wait}, at once`, other: "1 request for 101 calls" }
  })

const date = "Wed, 21 Oct 2026 07:28:00 GMT"

/** Every refusal is told once and asked once. */
const refusals = (step: "idToken" | "accessToken", codes: ReadonlyArray<string>, status: number) =>
  Effect.gen(function*() {
    const name = step === "idToken" ? "TokenRetrievalError" : "TokenExchangeError"
    for (const code of codes) {
      const { identity, platform } = yield* onPlatform()
      yield* platform.script(step, Answer.refusal(code, { status }))
      const error = yield* failing(identity.accessToken, `${name} OAuth(${code})`)
      assert.equal(error.retryable, false)
      const { accessToken, idToken } = yield* steps(platform)
      assert.deepEqual([idToken, accessToken], step === "idToken" ? [1, 0] : [1, 1])
    }
    return { caller: `${name} OAuth(${codes.join(" | ")})`, other: "each asked once" }
  })

export const rows = [
  row("R1", "redirect to another origin", redirected((origin) => `${origin}/token`, [301, 302, 303, 307, 308])),
  row("R2", "redirect on the same origin, or to http", redirected(() => "/elsewhere", [302, 307])),
  row(
    "R3",
    "429 with Retry-After in seconds",
    Effect.gen(function*() {
      const { identity, platform } = yield* onPlatform()
      yield* platform.script("idToken", throttled({ "retry-after": "1" }))
      const [elapsed] = yield* Effect.timed(identity.accessToken)
      assert.ok(Duration.toMillis(elapsed) >= 1000)
      assert.equal(told(yield* steps(platform)), "2 + 1 requests")
      const { caller, other } = yield* throttledFor({ "retry-after": "60" }, 60_000)
      return { caller: `a token after 1 s; ${caller}`, other: `2 + 1 requests; ${other}` }
    })
  ),
  row(
    "R4",
    "429 with Retry-After as a date: past, future, far",
    Effect.gen(function*() {
      yield* scripted(
        "idToken",
        [throttled({ "retry-after": "Wed, 21 Oct 2026 07:27:00 GMT", date })],
        "a token",
        "2 + 1 requests"
      )
      yield* throttledFor({ "retry-after": "Wed, 21 Oct 2026 07:28:30 GMT", date }, 30_000)
      return yield* throttledFor({ "retry-after": "Thu, 22 Oct 2026 07:28:00 GMT", date }, 3_600_000)
    })
  ),
  row(
    "R5",
    "429 with no, a negative, a huge or a garbled Retry-After",
    Effect.gen(function*() {
      yield* throttledFor({ "retry-after": "999999999" }, 3_600_000)
      for (const garbage of ["-1", "soon", "1e3", "NaN"]) yield* throttledFor({ "retry-after": garbage }, 5000)
      return yield* throttledFor({}, 5000)
    })
  ),
  row(
    "R6",
    "503 that passes",
    scripted(
      "idToken",
      [Answer.body("", { status: 503 }), Answer.body("", { status: 503 })],
      "a token",
      "3 + 1 requests"
    )
  ),
  row(
    "R7",
    "500, 502, 504 for good",
    scripted(
      "accessToken",
      [500, 502, 504].map((status) => Answer.body("oops", { status, contentType: "text/html" })),
      "TokenExchangeError Status(504)",
      "1 + 3 requests"
    )
  ),
  row(
    "R8",
    "invalid_client, as 400 and as 401",
    Effect.andThen(refusals("idToken", ["invalid_client"], 400), refusals("idToken", ["invalid_client"], 401))
  ),
  row("R9", "invalid_grant at the second step", refusals("accessToken", ["invalid_grant"], 400)),
  row(
    "R10",
    "other refusals of the second step",
    refusals("accessToken", ["invalid_target", "invalid_scope", "unauthorized_client", "unsupported_grant_type"], 400)
  ),
  row(
    "R11",
    "temporarily_unavailable that passes",
    scripted("idToken", [Answer.refusal("temporarily_unavailable")], "a token", "2 + 1 requests")
  ),
  row(
    "R12",
    "unknown code, control characters and markup in the description",
    Effect.gen(function*() {
      const { identity, platform } = yield* onPlatform()
      const description = `\u001b[31m<script>\u0000${"x".repeat(500)}`
      yield* platform.script("idToken", Answer.refusal("out_of_order", { description }))
      const error = yield* failing(identity.accessToken, "TokenRetrievalError OAuth(out_of_order)")
      // oxlint-disable-next-line no-control-regex
      assert.doesNotMatch(error.message, /[\u0000-\u001f]/)
      assert.ok(error.message.length < 300)
      return { caller: `${describe(error)}, cleaned, ${error.message.length} characters`, other: "1 request" }
    })
  ),
  row(
    "R13",
    "200 with an error in it",
    scripted(
      "idToken",
      [Answer.json({ error: "access_denied" })],
      "TokenRetrievalError OAuth(access_denied)",
      "1 + 0 requests"
    )
  ),
  row(
    "R14",
    "200 with a vendor's errcode",
    scripted(
      "idToken",
      [Answer.json({ errcode: 40001, errmsg: "no" })],
      "TokenRetrievalError OAuth(40001)",
      "1 + 0 requests"
    )
  ),
  row(
    "R40",
    "first step succeeds, second fails",
    Effect.gen(function*() {
      const { identity, platform } = yield* onPlatform()
      yield* platform.script("accessToken", Answer.body("<p>", { contentType: "text/html" }))
      const error = yield* failing(identity.accessToken, "TokenExchangeError InvalidResponse(contentType)")
      assert.equal((yield* identity.diagnose).token, undefined)
      const again = yield* failure(identity.accessToken)
      assert.equal(again.message, error.message)
      return { caller: describe(error), other: told(yield* steps(platform)) }
    })
  )
]
