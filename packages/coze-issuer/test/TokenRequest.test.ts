import { TokenRequest } from "@effect-identity/coze-issuer"
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Result } from "effect"
import * as fc from "fast-check"
import { runInNewContext } from "node:vm"

const nested = (levels: number): unknown => levels === 0 ? 1 : { a: nested(levels - 1) }

describe("TokenRequest", () => {
  it("takes or refuses whatever it is given, and a refusal never quotes it", () =>
    fc.assert(
      fc.property(
        fc.constantFrom("session", "sessionContext", "durationSeconds", "scope", "accountId", "enterpriseId"),
        fc.oneof(fc.anything({ withBigInt: true, withDate: true, withMap: true }), fc.string({ unit: "binary" })),
        (field, value) => {
          const checked = TokenRequest.check({ [field]: value })
          if (Result.isFailure(checked)) {
            assert.strictEqual(checked.failure.field, field)
            if (typeof value === "string" && value.length > 4) assert.notInclude(checked.failure.message, value)
          } else if (value !== undefined) {
            // What is sent says all of what is taken, and what is remembered is known by.
            assert.isString(JSON.stringify(checked.success))
          }
        }
      ),
      { numRuns: 2_000 }
    ))

  for (
    const [what, value] of [
      ["a bigint", { a: 1n }],
      ["a date", { a: DateTime.toDateUtc(DateTime.makeUnsafe(0)) }],
      ["a map", { a: new Map([["a", 1]]) }],
      ["a function", { toJSON: () => "all" }],
      ["no number", { a: Number.NaN }],
      ["undefined", { a: [undefined] }],
      ["an array itself", []],
      ["text that is no JSON", "{"],
      ["nine levels", nested(9)]
    ] as const
  ) {
    it(`takes no scope and no context with ${what} in it, which JSON could not say or says differently`, () => {
      for (const field of ["scope", "sessionContext"] as const) {
        const { message } = Result.getOrThrow(Result.flip(TokenRequest.check({ [field]: value })))
        assert.strictEqual(message, `${field} must be a JSON object, at most 8 levels deep`)
      }
    })
  }

  for (
    const [what, value] of [
      ["eight levels", nested(8)],
      ["every kind of JSON", { a: [1, "a", true, null, { b: [] }] }],
      ["what another realm made", runInNewContext("({ a: { b: [1] } })")],
      ["no prototype", Object.assign(Object.create(null), { a: 1 })],
      ["a name that is special", JSON.parse("{\"__proto__\":{\"a\":1}}")]
    ] as const
  ) {
    it(`takes a scope with ${what} as it is`, () => {
      const { scope } = Result.getOrThrow(TokenRequest.check({ scope: value }))
      assert.strictEqual(JSON.stringify(scope), JSON.stringify(value))
    })
  }

  it("takes a life from 1 to 86399 whole seconds", () => {
    for (const durationSeconds of [1, 86_399]) {
      assert.deepInclude(Result.getOrThrow(TokenRequest.check({ durationSeconds })), { durationSeconds })
    }
    for (
      const durationSeconds of [0, -1, 1.5, 86_400, Number.NaN, Number.POSITIVE_INFINITY, "", "1e3", "0x10", true, []]
    ) {
      const { message } = Result.getOrThrow(Result.flip(TokenRequest.check({ durationSeconds })))
      assert.strictEqual(message, "durationSeconds must be a whole number from 1 to 86399")
    }
  })
})
