import { Fingerprint, Setting } from "@effect-identity/oauth"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Result } from "effect"

describe("Setting", () => {
  for (
    const [what, setting, rule] of [
      ["nothing", Setting.text("id", undefined), "is missing"],
      ["a blank", Setting.text("id", " "), "is missing"],
      ["a blank before", Setting.text("id", " a"), "must not begin or end with white space"],
      ["two line breaks", Setting.text("id", "a\n\n"), "must not begin or end with white space"],
      ["a NUL", Setting.text("id", "a\0b"), "must not contain control characters"],
      ["no address", Setting.url("id", "issuer"), "must be an absolute URL"],
      ["no duration", Setting.timeout("id", Number.NaN), "must be from 1 to 2147483647 milliseconds"],
      ["no time", Setting.timeout("id", 0), "must be from 1 to 2147483647 milliseconds"],
      ["less than no time", Setting.duration("id", -1), "must be from 0 to 2147483647 milliseconds"],
      ["more than timers can", Setting.duration("id", 2 ** 31), "must be from 0 to 2147483647 milliseconds"]
    ] as const
  ) {
    it(`refuses ${what}: ${rule}`, () => {
      assert.deepStrictEqual(
        Result.match<unknown, Setting.Issue, unknown, unknown>(setting, {
          onFailure: (issue) => issue,
          onSuccess: () => "accepted"
        }),
        { name: "id", rule }
      )
    })
  }

  it("drops one line break at the end, and shows no secret", () => {
    const secret = Result.getOrThrow(Setting.secret("id", "s3cret\r\n"))
    assert.strictEqual(Redacted.value(secret), "s3cret")
    assert.strictEqual(String(secret), "<redacted:id>")
    assert.isUndefined(Result.getOrThrow(Setting.optionalUrl("id", " ")))
  })

  it.effect("is told apart by fingerprints that say nothing", () =>
    Effect.gen(function*() {
      const [one, same, other] = yield* Effect.forEach(
        ["s3cret", "s3cret", "s3cres"],
        (secret) => Fingerprint.make(Redacted.make(secret))
      )
      assert.strictEqual(one, same)
      assert.notStrictEqual(one, other)
      assert.match(one ?? "", /^[0-9a-f]{32}$/)
    }))
})
