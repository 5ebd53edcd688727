import { SecretSweep } from "@effect-identity/testing"
import { assert, describe, it } from "@effect/vitest"
import { Data, Effect, Exit } from "effect"

const secret = "hunter2-hunter2"

class Refused extends Data.TaggedError("Refused")<{ readonly message: string }> {}

const findings = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.map(SecretSweep.watch(effect), ({ shown }) => SecretSweep.find(shown, { secret }))

const leaks: ReadonlyArray<readonly [where: string, leak: Effect.Effect<void, Refused>]> = [
  ["an error", Effect.fail(new Refused({ message: secret }))],
  ["a defect", Effect.die(new Error(secret))],
  ["a log line of the lowest level", Effect.logTrace(secret)],
  ["an annotation of a log line", Effect.annotateLogs(Effect.logInfo("asked"), { secret })],
  ["the name of a span", Effect.withSpan(Effect.void, secret)],
  ["an attribute of a span", Effect.withSpan(Effect.void, "ask", { attributes: { secret } })],
  ["the end of a span whose failure is dealt with", Effect.ignore(Effect.withSpan(Effect.fail(secret), "ask"))]
]

describe("SecretSweep.watch", () => {
  for (const [where, leak] of leaks) {
    it.effect(`shows ${where}`, () =>
      Effect.map(findings(leak), (found) => {
        assert.isNotEmpty(found)
      }))
  }

  it.effect("keeps to itself what an effect succeeds with", () =>
    Effect.gen(function*() {
      const { exit, shown } = yield* SecretSweep.watch(Effect.succeed(secret))
      assert.deepStrictEqual(exit, Exit.succeed(secret))
      assert.deepStrictEqual(SecretSweep.find(shown, { secret }), [])
    }))
})
