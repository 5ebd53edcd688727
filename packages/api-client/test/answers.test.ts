/**
 * What APIs say instead of data, and data that is not what it should be.
 */
import { ApiError } from "@effect-identity/api-client"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { gzipSync } from "node:zlib"
import { failing, played } from "./Fixture.ts"

const refused = Effect.fnUntraced(function*(status: number, body: unknown, headers: Record<string, string> = {}) {
  const content = typeof body === "string" ? body : JSON.stringify(body)
  const { client } = yield* played(() => new Response(content, { status, headers }), { attempts: 1 })
  const error = yield* failing(client.get("/w"))
  assert.instanceOf(error, ApiError.ApiError)
  return error
})

const pathsTo = { field: "amount", code: "min", message: "too small" }

describe("what an API says instead of data", () => {
  for (
    const [dialect, body, code, description, headers] of [
      ["A55", { error: { code: "invalid", message: "bad", details: [] }, request_id: "r-1" }, "invalid", "bad", {}],
      ["RFC 6750", { error: "invalid_token", error_description: "expired" }, "invalid_token", "expired", {}],
      ["RFC 9457", { type: "about:blank", title: "Nope", detail: "not so", code: "E1" }, "E1", "not so", {}],
      ["{code, message}", { code: 4100, message: "no" }, 4100, "no", {}],
      ["{code, msg}", { code: "x", msg: "no" }, "x", "no", {}],
      ["{errcode, errmsg}", { errcode: 40001, errmsg: "bad" }, 40001, "bad", {}],
      ["API Gateway", { message: "Unauthorized" }, undefined, "Unauthorized", {}],
      ["a list", { errors: [{ code: "a", title: "first" }, { code: "b" }] }, "a", "first", {}],
      ["a challenge", "", "insufficient_scope", undefined, {
        "www-authenticate": "Bearer realm=\"x\", error=\"insufficient_scope\""
      }],
      ["HTML", "<p>down</p>", undefined, undefined, { "content-type": "text/html" }],
      ["nothing", "", undefined, undefined, {}],
      ["an array", [1], undefined, undefined, {}],
      ["null", "null", undefined, undefined, {}],
      ["a fake token", { access_token: "a" }, undefined, undefined, {}]
    ] as const
  ) {
    it.live(`is understood from ${dialect}`, () =>
      Effect.gen(function*() {
        const { reason } = yield* refused(400, body, headers)
        assert.deepInclude({ ...reason }, { _tag: "Status", status: 400, code, description })
      }))
  }

  it.live("comes with details, request id and rate limit", () =>
    Effect.gen(function*() {
      const error = yield* refused(
        422,
        { error: { code: "invalid", message: "bad", details: [pathsTo, "plain", 7, null] }, request_id: "r-1" },
        {
          "x-request-id": "header",
          "x-ratelimit-limit": "100",
          "x-ratelimit-remaining": "12",
          "x-ratelimit-reset": "1792567680"
        }
      )
      const nothing = { field: undefined, code: undefined, message: undefined }
      assert.deepStrictEqual("details" in error.reason ? error.reason.details : [], [
        pathsTo,
        { ...nothing, message: "plain" },
        nothing,
        nothing
      ])
      assert.strictEqual(error.requestId, "r-1")
      assert.deepInclude({ ...error.rateLimit }, { limit: 100, remaining: 12 })
      assert.strictEqual(error.rateLimit?.resetAt?.toISOString(), "2026-10-21T07:28:00.000Z")
      assert.strictEqual((yield* refused(400, "", { "x-amzn-requestid": "amzn-1" })).requestId, "amzn-1")
      assert.isUndefined((yield* refused(400, "", { "x-ratelimit-limit": "many" })).rateLimit)
    }))
})

describe("data", () => {
  const Wallet = Schema.Struct({ wallets: Schema.Array(Schema.Struct({ id: Schema.Int })) })

  for (
    const [what, respond, message] of [
      ["not of the schema", () => Response.json({ wallets: [{ id: 1 }, { id: "secret-9c2e" }] }), [
        "answer is not of the schema at [\"wallets\"][1][\"id\"] (HTTP 200)"
      ]],
      ["nothing", () => new Response(null, { status: 204 }), ["answer is not of the schema (HTTP 204)"]],
      ["an error in disguise", () => Response.json({ error: { code: "secret-9c2e" } }), [
        "answer is not of the schema at [\"wallets\"] (HTTP 200)"
      ]],
      ["HTML", () => new Response("<p>secret-9c2e", { headers: { "content-type": "text/html" } }), [
        "invalid answer: content type is not JSON (HTTP 200)"
      ]],
      [
        "cut off",
        () => new Response("{\"wallets\":[\"secret-9c2e", { headers: { "content-type": "application/json" } }),
        [
          "invalid answer: body is not JSON (HTTP 200)"
        ]
      ],
      ["not UTF-8", () => new Response(new Uint8Array([0x22, 0xff, 0x22])), [
        "invalid answer: body is not UTF-8, or its content encoding is broken or not supported (HTTP 200)"
      ]],
      ["too large", () => new Response(`"${"a".repeat(2000)}"`), [
        "invalid answer: body or token is too large (HTTP 200)"
      ]],
      ["a bomb", () => new Response(gzipSync("a".repeat(1e6)), { headers: { "content-encoding": "gzip" } }), [
        "invalid answer: body or token is too large (HTTP 200)"
      ]]
    ] as const
  ) {
    it.live(`that is ${what} is refused and not shown`, () =>
      Effect.gen(function*() {
        const { client } = yield* played(respond, { maximumBytes: 1000 })
        const error = yield* failing(client.get("/w", { schema: Wallet }))
        assert.strictEqual(error.message, `GET: ${message[0]}`)
        assert.notInclude(JSON.stringify(error), "secret-9c2e")
      }))
  }

  it.live("may be anything JSON is, with a mark at its beginning, or without a content type", () =>
    Effect.gen(function*() {
      for (const text of ["[1]", "7", "\"text\"", "null", "{\"__proto__\":{\"a\":1}}", "\ufeff{}"]) {
        const { client } = yield* played(() => new Response(new TextEncoder().encode(text)))
        assert.deepStrictEqual(yield* client.get("/w"), JSON.parse(text.replace("\ufeff", "")))
      }
      assert.notProperty({}, "a")
    }))

  it.live("shows no key of a record that may be data itself", () =>
    Effect.gen(function*() {
      const { client } = yield* played(() => Response.json({ "a key: with words": 1 }))
      const error = yield* failing(client.get("/w", { schema: Schema.Record(Schema.String, Schema.String) }))
      assert.strictEqual(error.message, "GET: answer is not of the schema at [\"?\"] (HTTP 200)")
    }))
})
