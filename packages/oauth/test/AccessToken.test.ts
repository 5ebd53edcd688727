import { AccessToken, Instant } from "@effect-identity/oauth"
import { SecretSweep } from "@effect-identity/testing"
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Duration, Effect, Redacted } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"

const make = AccessToken.make({ value: Redacted.make("s3cret-s3cret"), lifetime: "1 hour" })

describe("AccessToken", () => {
  it.effect("knows when it was asked for and when it ends", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(1_000_000)
      const token = yield* make
      assert.strictEqual(DateTime.toEpochMillis(token.issuedAt), 1_000_000)
      assert.strictEqual(DateTime.toEpochMillis(token.expiresAt), 4_600_000)
      yield* TestClock.adjust("59 minutes")
      assert.strictEqual(Duration.toSeconds(yield* AccessToken.remaining(token)), 60)
      yield* TestClock.adjust("2 minutes")
      assert.isTrue(Duration.isZero(yield* AccessToken.remaining(token)))
    }))

  for (
    const [what, wall, monotonic, minutes] of [
      ["both clocks moved", 10, 10, 50],
      ["the wall clock jumped ahead", 40, 10, 20],
      ["the machine slept and only the wall clock knows", 70, 0, 0],
      ["the wall clock stood still", 0, 40, 20],
      ["the wall clock was set back", -600, 10, 50]
    ] as const
  ) {
    it.effect(`has ${minutes} minutes left when ${what}`, () =>
      Effect.gen(function*() {
        const token = yield* make
        const { monotonic: from, wall: since } = token.requestedAt
        const now: Instant.Instant = { wall: since + wall * 60_000, monotonic: from + monotonic * 60_000 }
        assert.strictEqual(Duration.toMinutes(AccessToken.remainingAt(token, now)), minutes)
      }))
  }

  it("never grows younger, and never has more or less left than it may", () =>
    fc.assert(fc.property(
      fc.record({ wall: fc.integer(), monotonic: fc.nat() }),
      fc.record({ wall: fc.integer(), monotonic: fc.nat() }),
      (from, to) => {
        const elapsed = Instant.elapsed(from, to)
        assert.isAtLeast(elapsed, Math.max(0, to.wall - from.wall, to.monotonic - from.monotonic))
        assert.isAtLeast(elapsed, 0)
      }
    )))

  it.effect("shows its value nowhere", () =>
    Effect.gen(function*() {
      const token = yield* make
      assert.deepStrictEqual(SecretSweep.find(token, { value: "s3cret-s3cret" }), [])
    }))
})
