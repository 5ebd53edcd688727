import { OpenApi, Problem } from "@effect-identity/coze-issuer"
import { CozeOAuth } from "@effect-identity/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { as, ask, callers, entries, keys, wanting } from "./Entry.ts"

const layer = CozeOAuth.layer()

const methods = ["get", "post", "put", "delete", "patch"]

describe("the document", () => {
  it("names every code of a problem under its status", () => {
    const documented = Object.entries(OpenApi.document.paths["/v1/tokens"].post.responses).flatMap(
      ([status, { description }]) =>
        status === "200" ? [] : (description.split(": ")[1] ?? "").split(", ").map((code) => [code, Number(status)])
    )
    const { not_found: _, ...statuses } = Problem.statuses
    assert.deepStrictEqual(Object.fromEntries(documented), statuses)
  })
})

for (const entry of entries) {
  describe(`the document, beside what the issuer answers on ${entry.name}`, () => {
    const start = Effect.gen(function*() {
      const coze = yield* CozeOAuth.CozeOAuth
      return yield* Effect.orDie(entry.start({ ...coze.env, ...callers }))
    })

    it.live("is what the issuer serves, and has every path and method there is", () =>
      Effect.gen(function*() {
        const { origin } = yield* start
        const { body } = yield* ask(`${origin}/v1/openapi.json`, { method: "GET" })
        assert.deepStrictEqual(body, JSON.parse(JSON.stringify(OpenApi.document)))
        for (const [path, operations] of Object.entries(OpenApi.document.paths)) {
          for (const method of methods) {
            const { headers, status } = yield* ask(origin + path, { method: method.toUpperCase() })
            const isDocumented = method in operations
            assert.strictEqual(status !== 405, isDocumented, `${method} ${path}`)
            if (!isDocumented) assert.strictEqual(headers.get("allow"), Object.keys(operations)[0]?.toUpperCase())
          }
        }
      }).pipe(Effect.provide(layer)))

    it.live("has the fields of requests, tokens and problems", () =>
      Effect.gen(function*() {
        const { origin } = yield* start
        const { Problem, Token, TokenRequest } = OpenApi.document.components.schemas
        const example = { session: "s", session_context: {}, duration_seconds: 60, scope: {} }
        assert.sameMembers(Object.keys(TokenRequest.properties), Object.keys(example))
        const token = yield* ask(`${origin}/v1/tokens`, wanting(keys.any, example))
        assert.strictEqual(token.status, 200)
        assert.sameMembers(Object.keys(token.body), Token.required)
        const problem = yield* ask(`${origin}/v1/tokens`, wanting(keys.any, { other: 1 }))
        assert.includeMembers(Object.keys(Problem.properties), Object.keys(problem.body))
        assert.includeMembers(Object.keys(problem.body), Problem.required)
        for (const path of ["/v1/openapi.json", "/v1/health"]) {
          assert.strictEqual((yield* ask(origin + path, { method: "GET" })).status, 200)
        }
        assert.strictEqual((yield* ask(`${origin}/`, as("wrong"))).status, 401)
      }).pipe(Effect.provide(layer)))
  })
}
