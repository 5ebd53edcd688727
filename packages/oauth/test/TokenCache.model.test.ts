import { AccessToken, OAuthError, TokenCache } from "@effect-identity/oauth"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Context, Duration, Effect, Exit, Fiber, Redacted, Scope } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"

type Outcome = Exit.Exit<AccessToken.AccessToken, OAuthError.OAuthError>

/** A request for a token that is in the air, until someone decides how it ends. */
interface Flight {
  readonly key: string
  readonly id: number
  readonly end: (outcome: Effect.Effect<AccessToken.AccessToken, OAuthError.OAuthError>) => void
  isOver: boolean
  isInterrupted: boolean
}

interface Caller {
  readonly key: string
  readonly kind: "get" | "refresh"
  readonly flightsBefore: number
  readonly fiber: Fiber.Fiber<Outcome>
  hasLeft: boolean
}

const failures = {
  transient: new OAuthError.Status({ status: 503 }),
  refused: new OAuthError.OAuth({ status: 401, code: "invalid_client", apiCode: undefined, description: undefined })
} as const

const keys = ["a", "b"] as const

/** A cache, the world around it, and what must hold of the two after every step. */
class World {
  readonly flights: Array<Flight> = []
  readonly callers: Array<Caller> = []
  readonly rejected = new Set<string>()
  readonly generations = new Map<string, number>()
  readonly cache: TokenCache.TokenCache["Service"]
  readonly scope: Scope.Closeable
  /** The two clocks, apart from the test's own. */
  readonly skew = { wall: 0, monotonic: 0 }
  isClosed = false
  #clock: Clock.Clock

  constructor(cache: TokenCache.TokenCache["Service"], scope: Scope.Closeable, clock: Clock.Clock) {
    this.cache = cache
    this.scope = scope
    const wall = () => clock.currentTimeMillisUnsafe() + this.skew.wall
    const monotonic = () => clock.monotonicTimeNanosUnsafe() + BigInt(this.skew.monotonic) * 1_000_000n
    this.#clock = {
      currentTimeMillisUnsafe: wall,
      currentTimeMillis: Effect.sync(wall),
      currentTimeNanosUnsafe: () => BigInt(wall()) * 1_000_000n,
      currentTimeNanos: Effect.sync(() => BigInt(wall()) * 1_000_000n),
      monotonicTimeNanosUnsafe: monotonic,
      monotonicTimeNanos: Effect.sync(monotonic),
      sleep: (duration) => clock.sleep(duration)
    }
  }

  at<A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return Effect.provideService(effect, Clock.Clock, this.#clock)
  }

  /** What is given out without an effect is what an effect would have given out, and nothing else. */
  checkFresh(key: string) {
    return Effect.gen({ self: this }, function*() {
      const { held, isDue } = yield* this.at(this.cache.peek(key))
      const fresh = this.cache.freshUnsafe(key, Context.make(Clock.Clock, this.#clock))
      assert.strictEqual(fresh, held === undefined || isDue || this.isClosed ? undefined : held.token)
      if (fresh === undefined) return
      assert.strictEqual(yield* this.at(this.cache.get(key, Effect.die("asked for"))), fresh)
      assert.strictEqual((yield* this.at(this.cache.peek(key))).lastAnswer, "hit")
    })
  }

  sourceOf(key: string) {
    return Effect.callback<AccessToken.AccessToken, OAuthError.OAuthError>((resume) => {
      const flight: Flight = {
        key,
        id: this.flights.length,
        end: resume,
        isOver: false,
        isInterrupted: false
      }
      this.flights.push(flight)
      return Effect.sync(() => {
        flight.isOver = true
        flight.isInterrupted = true
      })
    })
  }

  airborne(key?: string): ReadonlyArray<Flight> {
    return this.flights.filter((flight) => !flight.isOver && (key === undefined || flight.key === key))
  }

  waiting(key?: string): ReadonlyArray<Caller> {
    return this.callers.filter((caller) =>
      caller.fiber.pollUnsafe() === undefined && (key === undefined || caller.key === key)
    )
  }

  ask(key: string, kind: Caller["kind"]) {
    return Effect.gen({ self: this }, function*() {
      const { held } = yield* this.at(this.cache.peek(key))
      const flightsBefore = this.flights.length
      const fiber = yield* Effect.forkChild(Effect.exit(this.at(this.cache[kind](key, this.sourceOf(key)))), {
        startImmediately: true
      })
      this.callers.push({
        key,
        kind,
        flightsBefore,
        fiber,
        hasLeft: false
      })
      const exit = fiber.pollUnsafe()
      // A valid token is never withheld, whatever is in the air or has failed.
      if (held !== undefined && kind === "get" && !this.isClosed) {
        assert.isDefined(exit, "someone had to wait although a token was held")
      }
      if (kind === "get" && exit !== undefined && Exit.isSuccess(exit) && Exit.isSuccess(exit.value)) {
        const token = exit.value.value
        const left = Duration.toMillis(yield* this.at(AccessToken.remaining(token)))
        assert.isAbove(left, 0, "a token past its end was handed out")
        assert.isAtLeast(token.generation, this.generations.get(key) ?? 0, "an older token came after a newer one")
        this.generations.set(key, token.generation)
      }
      return fiber
    })
  }

  get invariants() {
    return Effect.gen({ self: this }, function*() {
      // From one fiber to the next that waits for it.
      for (let turn = 0; turn < 20; turn++) yield* Effect.yieldNow
      for (const key of keys) {
        yield* this.checkFresh(key)
        // One to join, one forced; a forced one that waits for its turn has not asked yet.
        assert.isAtMost(this.airborne(key).length, 3, "too many at once")
        const { held, isFlying } = yield* this.at(this.cache.peek(key))
        if (held !== undefined) {
          const left = Duration.toMillis(yield* this.at(AccessToken.remaining(held.token)))
          assert.isAbove(left, 0, "a token past its end is held out")
          assert.isFalse(this.rejected.has(Redacted.value(held.token.value)), "a refused token is held out")
          assert.isTrue(Redacted.value(held.token.value).startsWith(`${key}-`), "keys are mixed")
        }
        if (this.waiting(key).length > 0 && !this.isClosed && !isFlying && held === undefined) {
          // Only someone who bridges the end of a token waits without a flight.
          assert.isDefined((yield* this.at(this.cache.peek(key))).lastAnswer, "somebody waits for nothing")
        }
      }
      for (const { fiber, flightsBefore, key, kind } of this.callers) {
        const exit = fiber.pollUnsafe()
        if (exit === undefined || !Exit.isSuccess(exit)) continue
        const outcome = exit.value
        if (Exit.isFailure(outcome)) {
          const error = yield* Effect.flip(outcome)
          assert.instanceOf(error, OAuthError.OAuthError)
          continue
        }
        const [owner, id] = Redacted.value(outcome.value.value).split("-")
        assert.strictEqual(owner, key)
        // A forced one is never given what was asked for before it came.
        if (kind === "refresh") assert.isAtLeast(Number(id), flightsBefore, "a forced token was asked for before")
      }
    })
  }
}

type Command = (world: World) => Effect.Effect<void>

const key = fc.constantFrom(...keys)

const ask = (kind: Caller["kind"]) =>
  fc.tuple(key, fc.integer({ min: 1, max: 3 })).map(([key, count]): Command => (world) =>
    Effect.gen(function*() {
      const before = world.flights.length
      for (let nth = 0; nth < count; nth++) yield* world.ask(key, kind)
      if (kind === "get") assert.isAtMost(world.flights.length - before, 1, "callers did not share")
    })
  )

const advance = fc.constantFrom(50, 900, 5000, 60_000, 3_600_000).map((millis): Command => () =>
  TestClock.adjust(Duration.millis(millis))
)

const jump = fc.tuple(fc.constantFrom(-86_400_000, 7_200_000, 30_000), fc.boolean()).map(
  ([millis, isWall]): Command => (world) =>
    Effect.sync(() => {
      // The monotonic clock never goes back.
      if (isWall) world.skew.wall += millis
      else world.skew.monotonic += Math.abs(millis)
    })
)

const pick = <A>(list: ReadonlyArray<A>, number: number): A | undefined => list[number % Math.max(1, list.length)]

const land = fc.tuple(
  fc.nat(),
  fc.constantFrom("token", "token", "transient", "refused", "dies", "later"),
  fc.constantFrom(1000, 30_000, 3_600_000)
)
  .map(([nth, how, lifetime]): Command => (world) =>
    Effect.gen(function*() {
      const flight = pick(world.airborne(), nth)
      if (flight === undefined) return
      flight.isOver = true
      if (how === "token") {
        const token = yield* world.at(AccessToken.make({
          value: Redacted.make(`${flight.key}-${flight.id}`),
          lifetime: Duration.millis(lifetime)
        }))
        flight.end(Effect.succeed(token))
      } else if (how === "dies") flight.end(Effect.die(new TypeError("bug")))
      else {
        flight.end(Effect.fail(
          new OAuthError.OAuthError({
            operation: "clientCredentials",
            reason: how === "refused" ? failures.refused : failures.transient,
            requestId: undefined,
            retryAfter: how === "later" ? Duration.minutes(10) : undefined
          })
        ))
      }
    })
  )

const leave = fc.tuple(fc.nat(), fc.boolean()).map(([nth, all]): Command => (world) =>
  Effect.gen(function*() {
    const first = pick(world.waiting(), nth)
    if (first === undefined) return
    const leaving = all ? world.waiting(first.key) : [first]
    yield* Fiber.interruptAll(leaving.map(({ fiber }) => fiber))
    for (const caller of leaving) caller.hasLeft = true
    // What nobody waits for is given up, but for what flies in the background.
    if (all) {
      const { held } = yield* world.at(world.cache.peek(first.key))
      if (held === undefined) assert.isAtMost(world.airborne(first.key).length, 1)
    }
  })
)

const reject = fc.tuple(key, fc.boolean()).map(([key, isHeld]): Command => (world) =>
  Effect.gen(function*() {
    const { held } = yield* world.at(world.cache.peek(key))
    const other = yield* world.at(AccessToken.make({ value: Redacted.make("other"), lifetime: "1 hour" }))
    const refused = isHeld ? held?.token ?? other : other
    const isWorthIt = yield* world.at(world.cache.reject(key, refused))
    const after = (yield* world.at(world.cache.peek(key))).held
    if (refused === other) assert.strictEqual(after?.token, held?.token, "another token was dropped")
    else if (isWorthIt) {
      assert.isUndefined(after)
      world.rejected.add(Redacted.value(refused.value))
    } else assert.strictEqual(after?.token, held?.token)
  })
)

const close = fc.constant<Command>((world) =>
  Effect.gen(function*() {
    world.isClosed = true
    yield* Scope.close(world.scope, Exit.void)
    yield* Effect.yieldNow
    assert.deepStrictEqual(world.airborne(), [], "a flight outlived its cache")
  })
)

const commands = fc.array(
  fc.oneof(
    { arbitrary: ask("get"), weight: 8 },
    { arbitrary: ask("refresh"), weight: 3 },
    { arbitrary: land, weight: 8 },
    { arbitrary: advance, weight: 6 },
    { arbitrary: jump, weight: 1 },
    { arbitrary: leave, weight: 2 },
    { arbitrary: reject, weight: 2 },
    { arbitrary: close, weight: 1 }
  ),
  { minLength: 1, maxLength: 40 }
)

/** Runs the commands, then lets everything land: nobody may wait for ever. */
const run = (steps: ReadonlyArray<Command>) =>
  Effect.gen(function*() {
    const scope = yield* Scope.make()
    const world = new World(yield* Scope.provide(TokenCache.make(), scope), scope, yield* Clock.Clock)
    for (const step of steps) {
      yield* step(world)
      yield* world.invariants
    }
    for (let round = 0; round < 20 && world.waiting().length > 0; round++) {
      for (const flight of world.airborne()) {
        flight.isOver = true
        flight.end(world.at(AccessToken.make({
          value: Redacted.make(`${flight.key}-${flight.id}`),
          lifetime: "1 hour"
        })))
      }
      yield* TestClock.adjust("2 seconds")
    }
    assert.deepStrictEqual(world.waiting(), [], "someone waits for ever")
    if (!world.isClosed) yield* Scope.close(scope, Exit.void)
    assert.deepStrictEqual(world.airborne(), [])
  }).pipe(Effect.provide(TestClock.layer()))

describe("TokenCache, whatever happens in whatever order", () => {
  it(
    "keeps its promises after every step",
    () => fc.assert(fc.asyncProperty(commands, (steps) => Effect.runPromise(run(steps))), { numRuns: 500 }),
    60_000
  )
})
