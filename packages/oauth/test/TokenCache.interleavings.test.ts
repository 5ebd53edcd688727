import { AccessToken, OAuthError, TokenCache } from "@effect-identity/oauth"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Scope } from "effect"
import * as fc from "fast-check"

const down = new OAuthError.OAuthError({
  operation: "clientCredentials",
  reason: new OAuthError.Status({ status: 503 }),
  requestId: undefined
})

interface Asked {
  readonly id: number
  readonly forcedBefore: number
}

/** What the callers of one run do, all at once. */
const plans = fc.record({
  readers: fc.integer({ min: 2, max: 5 }),
  forced: fc.integer({ min: 1, max: 3 }),
  leaving: fc.boolean(),
  rejecting: fc.boolean(),
  failing: fc.integer({ min: 0, max: 6 })
})

type Plan = typeof plans extends fc.Arbitrary<infer A> ? A : never

const play = async (scheduler: fc.Scheduler, plan: Plan) => {
  const asked: Array<Asked> = []
  const cache = Effect.runSync(
    Scope.provide(TokenCache.make({ coolDown: { minimum: 0, maximum: 0 } }), Scope.makeUnsafe())
  )
  let forcedSoFar = 0
  /** Every answer of the issuer comes when the scheduler says. */
  const source = Effect.suspend(() => {
    const id = asked.length
    asked.push({ id, forcedBefore: forcedSoFar })
    return Effect.flatMap(
      Effect.promise(() => scheduler.schedule(Promise.resolve(), `answer ${id}`)),
      () =>
        id + 1 === plan.failing
          ? Effect.fail(down)
          : AccessToken.make({ value: Redacted.make(String(id)), lifetime: "1 hour" })
    )
  })
  const idOf = (token: AccessToken.AccessToken) => Number(Redacted.value(token.value))
  const outcome = <A>(effect: Effect.Effect<A, OAuthError.OAuthError>, signal?: AbortSignal) =>
    Effect.runPromise(Effect.result(effect), { signal }).catch(() => undefined)

  const controller = new AbortController()
  const readers = Array.from(
    { length: plan.readers },
    (_, nth) =>
      scheduler.schedule(Promise.resolve(), `reader ${nth}`).then(() =>
        outcome(cache.get("app", source), plan.leaving && nth === 0 ? controller.signal : undefined)
      )
  )
  const forced = Array.from(
    { length: plan.forced },
    (_, nth) =>
      scheduler.schedule(Promise.resolve(), `forced ${nth}`).then(async () => {
        const before = asked.length
        forcedSoFar++
        return { before, result: await outcome(cache.refresh("app", source)) }
      })
  )
  const leaving = scheduler.schedule(Promise.resolve(), "leaving").then(() => controller.abort())
  const rejecting = scheduler.schedule(Promise.resolve(), "rejecting").then(async () => {
    const { held } = Effect.runSync(cache.peek("app"))
    if (plan.rejecting && held !== undefined) {
      await Effect.runPromise(cache.reject("app", held.token))
      return idOf(held.token)
    }
    return undefined
  })
  await scheduler.waitFor(Promise.all([...readers, ...forced, leaving, rejecting]))

  for (const result of await Promise.all(readers)) {
    if (result?._tag === "Failure") assert.strictEqual(result.failure.reason, down.reason)
  }
  for (const { before, result } of await Promise.all(forced)) {
    if (result?._tag === "Success") assert.isAtLeast(idOf(result.success), before, "asked for before it was forced")
  }
  const refused = await rejecting
  const { held, isFlying } = Effect.runSync(cache.peek("app"))
  assert.isFalse(isFlying, "a flight was left behind")
  if (held !== undefined) assert.notStrictEqual(idOf(held.token), refused, "a refused token came back")
  // One flight for all readers, one for each forced caller at most, one for what was refused or left.
  assert.isAtMost(asked.length, 1 + plan.forced + 3)
  return held === undefined ? -1 : idOf(held.token)
}

describe("TokenCache, in any order of answers and callers", () => {
  it("gives forced callers a newer token, keeps the newest, and leaves nothing in the air", () =>
    fc.assert(
      fc.asyncProperty(fc.scheduler(), plans, async (scheduler, plan) => {
        const kept = await play(scheduler, plan)
        if (plan.failing === 0 && !plan.rejecting) assert.isAtLeast(kept, 0, "nothing is held in the end")
      }),
      { numRuns: 300 }
    ))
})
