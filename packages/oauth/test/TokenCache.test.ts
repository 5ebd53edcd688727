import { AccessToken, OAuthError, TokenCache } from "@effect-identity/oauth"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Deferred, Duration, Effect, Exit, Fiber, Random, Redacted, Ref, Scope } from "effect"
import { TestClock } from "effect/testing"

const failure = new OAuthError.OAuthError({
  operation: "clientCredentials",
  reason: new OAuthError.Status({ status: 503 }),
  requestId: undefined
})

/** A source that counts how often it was asked, and gives tokens of one lifetime. */
const makeSource = Effect.fnUntraced(function*(lifetime: Duration.Input, latency: Duration.Input = Duration.zero) {
  const asked = yield* Ref.make(0)
  const source = Effect.gen(function*() {
    const nth = yield* Ref.updateAndGet(asked, (count) => count + 1)
    const token = yield* AccessToken.make({ value: Redacted.make(`token-${nth}`), lifetime })
    yield* Effect.sleep(latency)
    return token
  })
  return { source, asked: Ref.get(asked) }
})

const valueOf = (token: AccessToken.AccessToken) => Redacted.value(token.value)

const everyone = (count: number, effect: Effect.Effect<AccessToken.AccessToken, OAuthError.OAuthError>) =>
  Effect.forEach(Array.from({ length: count }), () => Effect.forkChild(effect, { startImmediately: true }))

/** The first token of a source that takes a second. */
const fetched = Effect.fnUntraced(function*(
  cache: TokenCache.TokenCache["Service"],
  source: Effect.Effect<AccessToken.AccessToken, OAuthError.OAuthError>
) {
  const first = yield* Effect.forkChild(cache.get("app", source), { startImmediately: true })
  yield* TestClock.adjust("1 second")
  return yield* Fiber.join(first)
})

describe("TokenCache", () => {
  it.effect("asks once for 10,000 callers who come at once", () =>
    Effect.gen(function*() {
      const cache = yield* TokenCache.make()
      const { asked, source } = yield* makeSource("1 hour", "100 millis")
      const callers = yield* everyone(10_000, cache.get("app", source))
      yield* TestClock.adjust("100 millis")
      const tokens = yield* Fiber.joinAll(callers)
      assert.deepStrictEqual(new Set(tokens.map(valueOf)), new Set(["token-1"]))
      assert.strictEqual(yield* asked, 1)
    }))

  for (const seconds of [3600, 600, 300, 60, 30, 10]) {
    it.effect(`asks once per refresh period for tokens of ${seconds} s, not once per read, and lets nobody wait`, () =>
      Effect.gen(function*() {
        const cache = yield* TokenCache.make()
        const { asked, source } = yield* makeSource(Duration.seconds(seconds), Duration.millis(seconds))
        const first = yield* Effect.forkChild(cache.get("app", source), { startImmediately: true })
        yield* TestClock.adjust(Duration.millis(seconds))
        yield* Fiber.join(first)
        const shortestPeriod = 0.9 * (seconds - Math.min(60, seconds / 2))
        for (let read = 0; read < 400; read++) {
          const token = yield* Effect.forkChild(cache.get("app", source), { startImmediately: true })
          assert.isDefined(token.pollUnsafe())
          yield* TestClock.adjust(Duration.millis(seconds * 10))
        }
        const periods = 4 * seconds / Math.min(shortestPeriod, 0.7 * seconds)
        assert.isAtLeast(yield* asked, 4)
        assert.isAtMost(yield* asked, 1 + Math.ceil(periods))
      }))
  }

  it.effect("replaces a token in the background from about three quarters of its life on", () =>
    Effect.gen(function*() {
      const cache = yield* TokenCache.make()
      const { asked, source } = yield* makeSource("1 hour", "1 second")
      yield* fetched(cache, source)
      yield* TestClock.adjust("41 minutes")
      assert.strictEqual(valueOf(yield* cache.get("app", source)), "token-1")
      assert.strictEqual(yield* asked, 1)
      yield* TestClock.adjust("8 minutes")
      const readers = yield* everyone(1000, cache.get("app", source))
      assert.isTrue(readers.every((reader) => reader.pollUnsafe() !== undefined))
      assert.deepStrictEqual(new Set((yield* Fiber.joinAll(readers)).map(valueOf)), new Set(["token-1"]))
      assert.strictEqual(yield* asked, 2)
      assert.strictEqual((yield* cache.peek("app")).lastAnswer, "stale-hit")
      yield* TestClock.adjust("1 second")
      assert.strictEqual(valueOf(yield* cache.get("app", source)), "token-2")
      assert.strictEqual((yield* cache.peek("app")).held?.fetchedFor, "refresh")
    }))

  it.effect("draws the moment of the refresh once per token, and another one for the next", () =>
    Effect.gen(function*() {
      const cache = yield* TokenCache.make()
      const dueAfter = new Set<number>()
      for (let key = 0; key < 100; key++) {
        const { asked, source } = yield* makeSource("1 hour")
        yield* cache.get(`app-${key}`, source)
        let seconds = 0
        while ((yield* asked) === 1) {
          seconds += 10
          yield* TestClock.adjust("10 seconds")
          yield* cache.get(`app-${key}`, source)
        }
        assert.isAtLeast(seconds, 0.7 * 3600)
        assert.isAtMost(seconds, 0.8 * 3600 + 10)
        dueAfter.add(seconds)
      }
      // 37 moments are possible; fewer than 20 different ones would be no accident.
      assert.isAbove(dueAfter.size, 20)
    }))

  it.effect("bounds the share of a life that the margin takes", () =>
    Effect.gen(function*() {
      for (
        const [lifetime, from, to] of [["1 hour", 49.5 * 60, 55 * 60], ["10 minutes", 495, 550], [
          "1 minute",
          49.5,
          55
        ]] as const
      ) {
        // The share alone would wait until the end.
        const cache = yield* TokenCache.make({ refreshShare: 1, margin: "5 minutes", marginShare: 1 / 12 })
        const { asked, source } = yield* makeSource(lifetime)
        yield* cache.get("app", source)
        let seconds = 0
        while ((yield* asked) === 1) {
          seconds += 0.5
          yield* TestClock.adjust("500 millis")
          yield* cache.get("app", source)
        }
        assert.isAtLeast(seconds, from)
        assert.isAtMost(seconds, to + 0.5)
      }
    }))

  it.effect("gives a token out until shortly before its end while nobody answers, and not after", () =>
    Effect.gen(function*() {
      const cache = yield* TokenCache.make()
      const { source } = yield* makeSource("10 minutes")
      yield* cache.get("app", source)
      const down = Effect.andThen(Effect.sleep("100 millis"), Effect.fail(failure))
      for (let second = 0; second < 599; second++) {
        assert.strictEqual(valueOf(yield* cache.get("app", down)), "token-1")
        yield* TestClock.adjust("1 second")
      }
      const late = yield* Effect.forkChild(Effect.flip(cache.get("app", down)), { startImmediately: true })
      assert.isUndefined(late.pollUnsafe())
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual((yield* Fiber.join(late)).reason._tag, "Status")
    }))

  it.effect("tells no failure before the token has ended, because the next attempt may succeed", () =>
    Effect.gen(function*() {
      const cache = yield* TokenCache.make()
      const { source } = yield* makeSource("10 minutes")
      yield* cache.get("app", source)
      yield* TestClock.adjust("599200 millis")
      const late = yield* Effect.forkChild(cache.get("app", Effect.fail(failure)), { startImmediately: true })
      yield* TestClock.adjust("799 millis")
      assert.isUndefined(late.pollUnsafe())
      yield* TestClock.adjust("1500 millis")
      assert.isTrue(Exit.isFailure(yield* Fiber.await(late)))
    }))

  it.effect("tells no failure of an attempt that was made before the token had ended", () =>
    Effect.gen(function*() {
      const cache = yield* TokenCache.make()
      const { source } = yield* makeSource("10 minutes")
      yield* cache.get("app", source)
      yield* TestClock.adjust("599900 millis")
      const failed = yield* Ref.make(false)
      const failingOnce = Effect.flatMap(
        Ref.getAndSet(failed, true),
        (before) => before ? source : Effect.fail(failure)
      )
      const hasty = yield* Effect.forkChild(cache.get("app", failingOnce), { startImmediately: true })
      yield* TestClock.adjust("200 millis")
      const late = yield* Effect.forkChild(cache.get("app", source), { startImmediately: true })
      assert.isUndefined(late.pollUnsafe())
      yield* TestClock.adjust("1900 millis")
      assert.strictEqual(valueOf(yield* Fiber.join(late)), "token-2")
      assert.strictEqual(valueOf(yield* Fiber.join(hasty)), "token-2")
    }))

  it.effect("counts the life of a token from the moment it was asked for", () =>
    Effect.gen(function*() {
      const cache = yield* TokenCache.make()
      const { asked, source } = yield* makeSource("10 minutes", "5 minutes")
      const first = yield* Effect.forkChild(cache.get("app", source), { startImmediately: true })
      yield* TestClock.adjust("5 minutes")
      yield* Fiber.join(first)
      yield* TestClock.adjust("4 minutes")
      yield* Effect.forkChild(cache.get("app", source), { startImmediately: true })
      assert.strictEqual(yield* asked, 2)
    }))

  it.effect("lets the others have the token when the first caller leaves, or half of them", () =>
    Effect.gen(function*() {
      const cache = yield* TokenCache.make()
      const { asked, source } = yield* makeSource("1 hour", "1 second")
      const callers = yield* everyone(1000, cache.get("app", source))
      yield* Fiber.interruptAll(callers.filter((_, index) => index % 2 === 0))
      yield* TestClock.adjust("1 second")
      const tokens = yield* Fiber.joinAll(callers.filter((_, index) => index % 2 === 1))
      assert.deepStrictEqual(new Set(tokens.map(valueOf)), new Set(["token-1"]))
      assert.strictEqual(yield* asked, 1)
    }))

  it.effect("interrupts the flight when the last caller leaves, and starts anew for the next", () =>
    Effect.gen(function*() {
      const cache = yield* TokenCache.make()
      const interrupted = yield* Deferred.make<void>()
      const never = Effect.never.pipe(Effect.onInterrupt(() => Deferred.succeed(interrupted, undefined)))
      const callers = yield* everyone(10, cache.get("app", never))
      yield* Fiber.interruptAll(callers)
      yield* Deferred.await(interrupted)
      const { source } = yield* makeSource("1 hour")
      assert.strictEqual(valueOf(yield* cache.get("app", source)), "token-1")
    }))

  it.effect("shares a failure with those who waited for it, and asks nobody again for a moment", () =>
    Effect.gen(function*() {
      const cache = yield* TokenCache.make()
      const asked = yield* Ref.make(0)
      const failing = Ref.update(asked, (count) => count + 1).pipe(
        Effect.andThen(Effect.sleep("1 second")),
        Effect.andThen(Effect.fail(failure))
      )
      const callers = yield* everyone(1000, cache.get("app", failing))
      yield* TestClock.adjust("1 second")
      const exits = yield* Effect.forEach(callers, Fiber.await)
      assert.isTrue(exits.every((exit) => Exit.isFailure(exit)))
      const told = yield* Effect.flip(cache.get("app", failing))
      assert.strictEqual(told.reason, failure.reason)
      assert.isTrue(Duration.isGreaterThan(told.retryAfter ?? Duration.zero, Duration.millis(999)))
      assert.isTrue(Exit.isFailure(yield* Effect.exit(cache.refresh("app", failing))))
      assert.strictEqual(yield* Ref.get(asked), 1)

      yield* TestClock.adjust("2 seconds")
      const { source } = yield* makeSource("1 hour")
      assert.strictEqual(valueOf(yield* cache.get("app", source)), "token-1")
    }))

  it.effect("asks at most once a second however often it is asked while nobody answers, and seldom in the end", () =>
    Effect.gen(function*() {
      const cache = yield* TokenCache.make()
      const attempts: Array<number> = []
      const failing = Effect.flatMap(Clock.currentTimeMillis, (at) => {
        attempts.push(at)
        return Effect.fail(failure)
      })
      for (let tenth = 0; tenth < 3000; tenth++) {
        yield* Effect.exit(cache.get("app", failing))
        yield* TestClock.adjust("100 millis")
      }
      const pauses = attempts.slice(1).map((at, index) => at - (attempts[index] ?? at))
      assert.isTrue(pauses.every((pause) => pause >= 1000 && pause <= 30_100))
      assert.isAbove(Math.max(...pauses), 5000)
      assert.isBelow(attempts.length, 60)
    }))

  it.effect("waits as long as the server asked, and says so", () =>
    Effect.gen(function*() {
      const cache = yield* TokenCache.make()
      const throttled = new OAuthError.OAuthError({
        operation: "clientCredentials",
        reason: new OAuthError.Throttled({ status: 429, code: undefined }),
        requestId: undefined,
        retryAfter: Duration.minutes(10)
      })
      yield* Effect.exit(cache.get("app", Effect.fail(throttled)))
      const { asked, source } = yield* makeSource("1 hour")
      yield* TestClock.adjust("9 minutes")
      const error = yield* Effect.flip(cache.get("app", source))
      assert.strictEqual(Duration.toMinutes(error.retryAfter ?? Duration.zero), 1)
      assert.strictEqual(yield* asked, 0)
      yield* TestClock.adjust("1 minute")
      yield* cache.get("app", source)
      assert.strictEqual(yield* asked, 1)
    }))

  it.effect("remembers that a client was refused for longer, and only for that key", () =>
    Effect.gen(function*() {
      const cache = yield* TokenCache.make()
      const refused = new OAuthError.OAuthError({
        operation: "clientCredentials",
        reason: new OAuthError.OAuth({
          status: 401,
          code: "invalid_client",
          apiCode: undefined,
          description: undefined
        }),
        requestId: undefined
      })
      yield* Effect.exit(cache.get("old secret", Effect.fail(refused)))
      const { asked, source } = yield* makeSource("1 hour")
      assert.strictEqual(valueOf(yield* cache.get("new secret", source)), "token-1")
      yield* TestClock.adjust("14 seconds")
      assert.strictEqual((yield* Effect.flip(cache.get("old secret", source))).reason, refused.reason)
      yield* TestClock.adjust("16 seconds")
      yield* cache.get("old secret", source)
      assert.strictEqual(yield* asked, 2)
    }))

  it.effect("has attempts come closer together as the end of the token does", () =>
    Effect.gen(function*() {
      const cache = yield* TokenCache.make()
      const { source } = yield* makeSource("20 seconds")
      yield* cache.get("app", source)
      const attempts: Array<number> = []
      const failing = Effect.flatMap(Clock.currentTimeMillis, (at) => {
        attempts.push(at)
        return Effect.fail(failure)
      })
      for (let tenth = 0; tenth < 190; tenth++) {
        assert.strictEqual(valueOf(yield* cache.get("app", failing)), "token-1")
        yield* TestClock.adjust("100 millis")
      }
      assert.isAbove(attempts.at(-1) ?? 0, 17_000)
      assert.isAtMost(attempts.length, 10)
    }))

  for (const drawn of [0, 0.3, 0.7, 1]) {
    it.effect(`gives a replacement that hangs up in time for another attempt (drawn: ${drawn})`, () =>
      Effect.gen(function*() {
        const cache = yield* TokenCache.make()
        const { source } = yield* makeSource("20 seconds")
        yield* cache.get("app", source)
        const hung = yield* Ref.make(0)
        const hanging = Effect.andThen(Ref.update(hung, (count) => count + 1), Effect.never)
        for (let tenth = 0; tenth < 195; tenth++) {
          assert.strictEqual(valueOf(yield* cache.get("app", hanging)), "token-1")
          yield* TestClock.adjust("100 millis")
        }
        assert.isAtLeast(yield* Ref.get(hung), 2)
        yield* TestClock.adjust("100 millis")
        const late = yield* Effect.forkChild(cache.get("app", source), { startImmediately: true })
        yield* TestClock.adjust("3 seconds")
        assert.strictEqual(valueOf(yield* Fiber.join(late)), "token-2")
      }).pipe(Effect.provideService(Random.Random, { nextIntUnsafe: () => 0, nextDoubleUnsafe: () => drawn })))
  }

  it.effect("tells the bug of a source by its name, and forgets it", () =>
    Effect.gen(function*() {
      const cache = yield* TokenCache.make()
      const error = yield* Effect.flip(cache.get("app", Effect.die(new TypeError("s3cret"))))
      assert.strictEqual(error.message, "tokenCache: the source of the token is broken (TypeError)")
      assert.isFalse(error.isRetryable)
      const other = yield* Effect.flip(cache.get("other", Effect.interrupt))
      assert.strictEqual(other.reason._tag, "Unexpected")
      const { source } = yield* makeSource("1 hour")
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(valueOf(yield* cache.get("app", source)), "token-1")
    }))

  it.effect("does not take a token that has ended for one", () =>
    Effect.gen(function*() {
      const cache = yield* TokenCache.make()
      const { asked, source } = yield* makeSource("1 second", "2 seconds")
      const waiting = yield* Effect.forkChild(Effect.flip(cache.get("app", source)), { startImmediately: true })
      yield* TestClock.adjust("2 seconds")
      const error = yield* Fiber.join(waiting)
      assert.strictEqual(error.message, "tokenCache: invalid answer: token has already expired")
      yield* Effect.exit(cache.get("app", source))
      assert.strictEqual(yield* asked, 1)
    }))

  it.effect("lets each caller wait as long as it likes, and the flight go on for the others", () =>
    Effect.gen(function*() {
      const cache = yield* TokenCache.make()
      const { asked, source } = yield* makeSource("1 hour", "3 seconds")
      const hasty = yield* Effect.forkChild(Effect.flip(cache.get("app", source, Duration.seconds(1))), {
        startImmediately: true
      })
      const patient = yield* Effect.forkChild(cache.get("app", source, Duration.seconds(5)), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(hasty)).message, "tokenCache: timed out")
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(valueOf(yield* Fiber.join(patient)), "token-1")
      assert.strictEqual(yield* asked, 1)
    }))

  it.effect("lets go of everyone when it is closed, and takes nobody in after that", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const cache = yield* Scope.provide(TokenCache.make(), scope)
      const interrupted = yield* Deferred.make<void>()
      const never = Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, undefined))
      const waiting = yield* everyone(3, cache.get("app", never))
      yield* Scope.close(scope, Exit.void)
      yield* Deferred.await(interrupted)
      for (const caller of waiting) {
        assert.strictEqual((yield* Effect.flip(Fiber.join(caller))).reason._tag, "Closed")
      }
      const { asked, source } = yield* makeSource("1 hour")
      assert.strictEqual((yield* Effect.flip(cache.get("app", source))).reason._tag, "Closed")
      assert.strictEqual((yield* Effect.flip(cache.refresh("app", source))).reason._tag, "Closed")
      assert.strictEqual(yield* asked, 0)
    }))

  it.effect("never mixes keys", () =>
    Effect.gen(function*() {
      const cache = yield* TokenCache.make()
      const one = yield* makeSource("1 hour")
      yield* cache.get("a", one.source)
      yield* cache.get("b", one.source)
      assert.strictEqual(valueOf(yield* cache.get("a", one.source)), "token-1")
      assert.strictEqual(valueOf(yield* cache.get("b", one.source)), "token-2")
    }))

  it.effect("gives every token it obtains a higher generation", () =>
    Effect.gen(function*() {
      const cache = yield* TokenCache.make()
      const { source } = yield* makeSource("10 seconds")
      const first = yield* cache.get("app", source)
      yield* TestClock.adjust("10 seconds")
      const second = yield* cache.get("app", source)
      assert.isAbove(second.generation, first.generation)
    }))

  describe("with two clocks", () => {
    /** The test's clock, whose two readings can be moved apart. */
    const makeSkewedClock = Effect.gen(function*() {
      const clock = yield* Clock.Clock
      const skew = { wallMillis: 0, monotonicMillis: 0 }
      const wall = () => clock.currentTimeMillisUnsafe() + skew.wallMillis
      const monotonic = () => clock.monotonicTimeNanosUnsafe() + BigInt(skew.monotonicMillis) * 1_000_000n
      const skewed: Clock.Clock = {
        currentTimeMillisUnsafe: wall,
        currentTimeMillis: Effect.sync(wall),
        currentTimeNanosUnsafe: () => BigInt(wall()) * 1_000_000n,
        currentTimeNanos: Effect.sync(() => BigInt(wall()) * 1_000_000n),
        monotonicTimeNanosUnsafe: monotonic,
        monotonicTimeNanos: Effect.sync(monotonic),
        sleep: (duration) => clock.sleep(duration)
      }
      return { clock: skewed, skew }
    })

    const hour = 3_600_000

    for (
      const [name, wallMillis, monotonicMillis, expected] of [
        ["refreshes once when the wall clock jumps ahead", 2 * hour, 0, 2],
        ["refreshes once when the machine slept by the monotonic clock", 0, 2 * hour, 2],
        ["does not refresh because the wall clock was set back", -24 * hour, 0, 1],
        ["does not let a wall clock set back extend a life", -24 * hour, hour, 2]
      ] as const
    ) {
      it.effect(name, () =>
        Effect.gen(function*() {
          const { clock, skew } = yield* makeSkewedClock
          const cache = yield* TokenCache.make()
          const { asked, source } = yield* makeSource("1 hour")
          const read = Effect.provideService(cache.get("app", source), Clock.Clock, clock)
          yield* read
          Object.assign(skew, { wallMillis, monotonicMillis })
          for (let count = 0; count < 10; count++) yield* read
          assert.strictEqual(yield* asked, expected)
        }))
    }
  })

  describe("at its capacity", () => {
    it.effect("forgets what was used least recently", () =>
      Effect.gen(function*() {
        const cache = yield* TokenCache.make({ capacity: 2 })
        const { asked, source } = yield* makeSource("1 hour")
        yield* cache.get("a", source)
        yield* cache.get("b", source)
        yield* cache.get("a", source)
        yield* cache.get("c", source)
        assert.strictEqual(yield* asked, 3)
        yield* cache.get("a", source)
        yield* cache.get("c", source)
        assert.strictEqual(yield* asked, 3)
        yield* cache.get("b", source)
        assert.strictEqual(yield* asked, 4)
      }))

    it.effect("never gives up a flight", () =>
      Effect.gen(function*() {
        const cache = yield* TokenCache.make({ capacity: 1 })
        const slow = yield* makeSource("1 hour", "1 minute")
        const waiting = yield* Effect.forkChild(cache.get("slow", slow.source), { startImmediately: true })
        const quick = yield* makeSource("1 hour")
        for (const key of ["a", "b", "c"]) yield* cache.get(key, quick.source)
        const joining = yield* Effect.forkChild(cache.get("slow", slow.source), { startImmediately: true })
        yield* TestClock.adjust("1 minute")
        yield* Fiber.joinAll([waiting, joining])
        assert.strictEqual(yield* slow.asked, 1)
      }))
  })

  describe("refresh", () => {
    it.effect("never returns a token from a flight that began before it", () =>
      Effect.gen(function*() {
        const cache = yield* TokenCache.make()
        const { asked, source } = yield* makeSource("1 hour", "1 second")
        const early = yield* Effect.forkChild(cache.get("app", source), { startImmediately: true })
        const forced = yield* Effect.forkChild(cache.refresh("app", source), { startImmediately: true })
        yield* TestClock.adjust("1 second")
        assert.strictEqual(valueOf(yield* Fiber.join(early)), "token-1")
        assert.strictEqual(valueOf(yield* Fiber.join(forced)), "token-2")
        assert.strictEqual(valueOf(yield* cache.get("app", source)), "token-2")
        assert.strictEqual(yield* asked, 2)
      }))

    it.effect("flies once for all who come while another one is in the air", () =>
      Effect.gen(function*() {
        const cache = yield* TokenCache.make()
        const { asked, source } = yield* makeSource("1 hour", "1 second")
        const first = yield* Effect.forkChild(cache.refresh("app", source), { startImmediately: true })
        yield* TestClock.adjust("1 millis")
        const rest = yield* everyone(500, cache.refresh("app", source))
        yield* TestClock.adjust("500 millis")
        rest.push(...yield* everyone(500, cache.refresh("app", source)))
        yield* TestClock.adjust("1 second")
        yield* TestClock.adjust("1 second")
        assert.strictEqual(valueOf(yield* Fiber.join(first)), "token-1")
        assert.deepStrictEqual(new Set((yield* Fiber.joinAll(rest)).map(valueOf)), new Set(["token-2"]))
        assert.strictEqual(yield* asked, 2)
      }))

    it.effect("leaves the token that is held to everyone else, also when it fails", () =>
      Effect.gen(function*() {
        const cache = yield* TokenCache.make()
        const { source } = yield* makeSource("1 hour")
        yield* cache.get("app", source)
        const forced = yield* Effect.forkChild(
          cache.refresh("app", Effect.andThen(Effect.sleep("1 second"), Effect.fail(failure))),
          { startImmediately: true }
        )
        assert.strictEqual(valueOf(yield* cache.get("app", source)), "token-1")
        yield* TestClock.adjust("1 second")
        assert.isTrue(Exit.isFailure(yield* Fiber.await(forced)))
        assert.strictEqual(valueOf(yield* cache.get("app", source)), "token-1")
      }))

    it.effect("lets the next one begin when it is interrupted", () =>
      Effect.gen(function*() {
        const cache = yield* TokenCache.make()
        const { source } = yield* makeSource("1 hour")
        const forced = yield* Effect.forkChild(cache.refresh("app", Effect.never), { startImmediately: true })
        yield* Fiber.interrupt(forced)
        assert.strictEqual(valueOf(yield* cache.refresh("app", source)), "token-1")
      }))
  })

  describe("reject", () => {
    it.effect("costs one new token, however many were refused", () =>
      Effect.gen(function*() {
        const cache = yield* TokenCache.make()
        const { asked, source } = yield* makeSource("1 hour", "1 second")
        const read = cache.get("app", source)
        const first = yield* Effect.forkChild(read, { startImmediately: true })
        yield* TestClock.adjust("1 second")
        const refused = yield* Fiber.join(first)
        const again = Effect.andThen(cache.reject("app", refused), read)
        const callers = yield* everyone(1000, again)
        yield* TestClock.adjust("1 second")
        const latecomer = yield* again
        const tokens = [latecomer, ...yield* Fiber.joinAll(callers)]
        assert.deepStrictEqual(new Set(tokens.map(valueOf)), new Set(["token-2"]))
        assert.strictEqual(yield* asked, 2)
      }))

    it.effect("keeps a replacement that is refused as well, for a while", () =>
      Effect.gen(function*() {
        const cache = yield* TokenCache.make()
        const { asked, source } = yield* makeSource("1 hour")
        const read = cache.get("app", source)
        assert.isTrue(yield* cache.reject("app", yield* read))
        for (let count = 0; count < 50; count++) assert.isFalse(yield* cache.reject("app", yield* read))
        assert.strictEqual(yield* asked, 2)
        yield* TestClock.adjust("30 seconds")
        assert.isTrue(yield* cache.reject("app", yield* read))
        yield* read
        assert.strictEqual(yield* asked, 3)
      }))

    it.effect("does not touch a token that was not the one refused", () =>
      Effect.gen(function*() {
        const cache = yield* TokenCache.make()
        const { asked, source } = yield* makeSource("1 hour")
        const old = yield* cache.get("app", source)
        yield* cache.refresh("app", source)
        assert.isTrue(yield* cache.reject("app", old))
        assert.strictEqual(valueOf(yield* cache.get("app", source)), "token-2")
        assert.strictEqual(yield* asked, 2)
      }))
  })

  it.live("runs a flight in the context of who asks, not of who made the cache", () =>
    Effect.gen(function*() {
      const stopped = yield* TestClock.make()
      const cache = yield* Effect.provideService(TokenCache.make(), Clock.Clock, stopped)
      const { source } = yield* makeSource("1 hour", "1 millis")
      assert.strictEqual(valueOf(yield* Effect.timeout(cache.get("app", source), "5 seconds")), "token-1")
    }))

  it.effect("is shared by everyone who builds the process-wide layer, and by nobody else", () =>
    Effect.gen(function*() {
      const { asked, source } = yield* makeSource("1 hour")
      const key = crypto.randomUUID()
      const read = TokenCache.TokenCache.use((cache) => cache.get(key, source))
      yield* Effect.provide(read, TokenCache.layer, { local: true })
      yield* Effect.provide(read, TokenCache.layer, { local: true })
      assert.strictEqual(yield* asked, 1)
      yield* Effect.provide(read, TokenCache.layerLocal(), { local: true })
      yield* Effect.provide(read, TokenCache.layerLocal(), { local: true })
      assert.strictEqual(yield* asked, 3)
    }))
})
