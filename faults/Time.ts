/**
 * C: clocks that jump, stop or are wrong.
 */
import { Answer } from "@effect-identity/testing"
import { AccessToken } from "@effect-identity/workload-identity"
import { Duration, Effect, Fiber } from "effect"
import * as assert from "node:assert/strict"
import { notHere, row } from "./Row.ts"
import * as SkewedClock from "./SkewedClock.ts"
import { layersOf, onPlatform, steps, told } from "./Workload.ts"

const hour = 3_600_000

/** A token of an hour, read a hundred times after both clocks were moved. */
const moved = (wallMillis: number, monotonicMillis: number, expected: string) =>
  Effect.gen(function*() {
    const { identity, platform } = yield* onPlatform({}, layersOf)
    const { at, skew } = yield* SkewedClock.make
    yield* at(identity.accessToken)
    Object.assign(skew, { wallMillis, monotonicMillis })
    for (let read = 0; read < 100; read++) {
      const token = yield* at(identity.accessToken)
      assert.ok(Duration.toMillis(yield* at(AccessToken.remaining(token))) > 0)
    }
    const seen = told(yield* steps(platform))
    assert.equal(seen, expected)
    return { caller: "a valid token, 100 x", other: seen }
  })

const block = (millis: number) => {
  const until = performance.now() + millis
  while (performance.now() < until);
}

export const rows = [
  row("C1", "wall clock 2 h ahead", moved(2 * hour, 0, "2 + 2 requests")),
  row(
    "C2",
    "wall clock set back by a day",
    Effect.gen(function*() {
      yield* moved(-24 * hour, 0, "1 + 1 requests")
      const { caller, other } = yield* moved(-24 * hour, hour, "2 + 2 requests")
      return { caller, other: `1 + 1 requests at once, ${other} after its life` }
    })
  ),
  row("C3", "machine asleep for twice the life", moved(2 * hour, 0, "2 + 2 requests")),
  row(
    "C4",
    "end of life between check and use",
    Effect.gen(function*() {
      const { identity, platform } = yield* onPlatform({
        platform: { lifetime: "200 seconds" },
        cache: { handOverMinimum: "5 seconds" }
      })
      const { at, skew } = yield* SkewedClock.make
      yield* at(identity.accessToken)
      yield* platform.behave({ delay: "1 hour" })
      let least = Number.POSITIVE_INFINITY
      for (skew.wallMillis = 0; skew.wallMillis < 195_000 - 1000; skew.wallMillis += 1000) {
        const token = yield* at(identity.accessToken)
        least = Math.min(least, Duration.toMillis(yield* at(AccessToken.remaining(token))))
      }
      skew.wallMillis = 196_000
      const waiting = yield* Effect.forkChild(at(identity.accessToken), { startImmediately: true })
      assert.equal(waiting.pollUnsafe(), undefined)
      yield* Fiber.interrupt(waiting)
      assert.ok(least >= 5000)
      return {
        caller: `never less than 5 s left (least ${Math.round(least / 1000)} s)`,
        other: told(yield* steps(platform))
      }
    })
  ),
  row(
    "C5",
    "event loop blocked for a second while the answer waits",
    Effect.gen(function*() {
      const { identity, platform } = yield* onPlatform({ platform: { lifetime: "10 seconds" } }, layersOf)
      const waiting = yield* Effect.forkChild(identity.accessToken, { startImmediately: true })
      yield* platform.requestsUntil((requests) => requests.length === 2)
      yield* Effect.sync(() => block(1000))
      const token = yield* Fiber.join(waiting)
      const left = Duration.toMillis(yield* AccessToken.remaining(token))
      assert.ok(left <= 9000, `${left} ms left`)
      return { caller: `a token with ${(left / 1000).toFixed(1)} s of 10 s left`, other: told(yield* steps(platform)) }
    })
  ),
  notHere("C6", "server's clock is off (iat, exp)", "assertions are the business of the JWT-bearer issuer"),
  row(
    "C7",
    "clock moves while a token is asked for",
    Effect.gen(function*() {
      const lives: Array<number> = []
      for (const wallMillis of [-hour, 600_000]) {
        const { identity, platform } = yield* onPlatform({ platform: { delay: "100 millis" } }, layersOf)
        const { at, skew } = yield* SkewedClock.make
        const waiting = yield* Effect.forkChild(at(identity.accessToken), { startImmediately: true })
        yield* platform.requestsUntil((requests) => requests.length === 2)
        skew.wallMillis = wallMillis
        const left = Duration.toMillis(yield* at(AccessToken.remaining(yield* Fiber.join(waiting))))
        assert.ok(left > 0 && left <= hour)
        lives.push(Math.round(left / 1000))
      }
      return {
        caller: `tokens with ${lives.join(" and ")} s left, never negative or more than an hour`,
        other: "1 + 1 requests each"
      }
    })
  ),
  row(
    "C8",
    "the year 2040, the year 9999",
    Effect.gen(function*() {
      for (const year of [2040, 9999]) {
        const { identity, platform } = yield* onPlatform({}, layersOf)
        const { at, skew } = yield* SkewedClock.make
        skew.wallMillis = Math.ceil(Date.UTC(year) - performance.timeOrigin)
        yield* platform.script("accessToken", Answer.token())
        const token = yield* at(identity.accessToken)
        assert.ok(token.expiresAt.epochMilliseconds >= Date.UTC(year))
        yield* at(identity.accessToken)
        assert.equal(told(yield* steps(platform)), "1 + 1 requests")
      }
      return { caller: "a token of an hour", other: "1 + 1 requests each" }
    })
  ),
  row("C9", "timers that never fire", moved(2 * hour, 2 * hour, "2 + 2 requests")),
  notHere("C10", "stored token reloaded after a restart", "nothing is stored: the token server does that")
]
