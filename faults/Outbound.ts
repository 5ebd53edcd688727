/**
 * R, at the end: what a token opens.
 */
import { Answer } from "@effect-identity/testing"
import { Effect, Redacted } from "effect"
import * as assert from "node:assert/strict"
import { row } from "./Row.ts"
import { describe, failing, failure, onPlatform, steps, told } from "./Workload.ts"

const variables = [
  { key: "A", value: "first" },
  { key: "A", value: "second" },
  { key: "", value: "empty" },
  { key: "__proto__", value: "polluted" },
  { key: "B", value: "line\nbreak\0" },
  ...Array.from({ length: 10_000 }, (_, index) => ({ key: `KEY_${index}`, value: String(index) }))
]

const onThatPlatform = onPlatform({ platform: { variables, credentials: { mail: "credential-of-the-mailbox" } } })

const refusal = Answer.json({ code: 4100, msg: "no" }, { status: 401 })

export const rows = [
  row(
    "R41",
    "credential answer: code, null data, empty or no text",
    Effect.gen(function*() {
      const { identity, platform } = yield* onThatPlatform
      for (
        const answer of [
          { code: 7, msg: "no" },
          { code: 0, data: null },
          { code: 0, data: { credential: "" } },
          { code: 0, data: { credential: 7 } }
        ]
      ) {
        yield* platform.script("integrationCredential", Answer.json(answer))
        const error = yield* failure(identity.integrationCredential("mail"))
        assert.match(describe(error), /^OutboundAuthError InvalidResponse/)
      }
      return { caller: "OutboundAuthError InvalidResponse, 4 x", other: told(yield* steps(platform)) }
    })
  ),
  row(
    "R42",
    "variables: repeated, empty, __proto__, 10,000 of them, any value",
    Effect.gen(function*() {
      const { identity, platform } = yield* onThatPlatform
      const found = yield* identity.projectEnvVars
      assert.deepEqual(Array.from(found.map(Redacted.value)), variables)
      const first = found.get("A")
      assert.equal(first && Redacted.value(first), "first")
      assert.equal(Reflect.get({}, "A"), undefined)
      return { caller: `${found.size} variables as they were sent`, other: told(yield* steps(platform)) }
    })
  ),
  row(
    "R43",
    "integration name: quotes, line break, 1 MB, other scripts",
    Effect.gen(function*() {
      const { identity, platform } = yield* onThatPlatform
      const names = ["\"quoted\"", "line\nbreak", "邮箱"]
      for (const name of names) {
        yield* failing(identity.integrationCredential(name), "OutboundAuthError InvalidResponse(1001)")
      }
      const sent = (yield* platform.requests).slice(2).map(({ body }) => JSON.parse(body).integration_name)
      assert.deepEqual(sent, names)
      yield* failing(identity.integrationCredential("x".repeat(1e6)), "ConfigurationError Configuration")
      return { caller: "not found, 3 x; 1 MB: ConfigurationError", other: "the names as they are, 1 MB never sent" }
    })
  ),
  row(
    "R44",
    "401 on a call",
    Effect.gen(function*() {
      const { identity, platform } = yield* onThatPlatform
      yield* identity.accessToken
      yield* platform.revokeTokens
      yield* identity.projectEnvVars
      const seen = told(yield* steps(platform))
      assert.equal(seen, "2 + 2 requests, 2 outbound")
      return { caller: "the variables", other: seen }
    })
  ),
  row(
    "R45",
    "401 again with the new token",
    Effect.gen(function*() {
      const { identity, platform } = yield* onThatPlatform
      yield* identity.accessToken
      yield* platform.script("projectEnvVars", refusal, refusal)
      const error = yield* failing(Effect.asVoid(identity.projectEnvVars), "OutboundAuthError Status(4100)")
      assert.equal(error.httpStatus, 401)
      const seen = told(yield* steps(platform))
      assert.equal(seen, "2 + 2 requests, 2 outbound")
      return { caller: describe(error), other: seen }
    })
  ),
  row(
    "R46",
    "401 to 1,000 callers at once",
    Effect.gen(function*() {
      const { identity, platform } = yield* onPlatform({ config: { timeout: "2 minutes" } })
      yield* identity.accessToken
      yield* platform.revokeTokens
      yield* Effect.all(Array.from({ length: 1000 }, () => identity.projectEnvVars), { concurrency: "unbounded" })
      const { accessToken, idToken, outbound } = yield* steps(platform)
      assert.deepEqual([idToken, accessToken], [2, 2])
      return { caller: "the variables, 1,000 x", other: `1 new token for ${outbound - 1000} refusals` }
    })
  )
]
