/**
 * Watches the real cache, with its own defaults, through the life of one token on a test clock. All times are milliseconds
 * after the moment the token was asked for.
 */
import { AccessToken, OAuthError, TokenCache } from "@effect-identity/oauth"
import { Clock, Duration, Effect, Random, Redacted, References } from "effect"
import { TestClock } from "effect/testing"

export interface TokenLife {
  readonly lifetime: number
  /** When it is due for replacement, at the earliest and at the latest: one draw in between holds for its whole life. */
  readonly due: { readonly earliest: number; readonly latest: number }
  /** Until when it is handed out. */
  readonly usable: number
  /** When replacements are asked for while the issuer is down. */
  readonly attempts: ReadonlyArray<number>
}

const down = Effect.fail(
  new OAuthError.OAuthError({
    operation: "clientCredentials",
    reason: new OAuthError.Status({ status: 503 }),
    requestId: undefined
  })
)

/** Looks per life. */
const looks = 3600

const onTestClock = <A, E>(program: Effect.Effect<A, E, TestClock.TestClock>): Effect.Effect<A, E> =>
  program.pipe(
    Effect.provide(TestClock.layer()),
    Effect.provideService(References.MinimumLogLevel, "None")
  )

/** A cache that holds a token of this life. The issuer gives one and answers 503 from then on. */
const holding = Effect.fnUntraced(function*(lifetime: number) {
  const asked: Array<number> = []
  const cache = yield* TokenCache.make()
  const source = Effect.gen(function*() {
    asked.push(yield* Clock.currentTimeMillis)
    return asked.length === 1
      ? yield* AccessToken.make({ value: Redacted.make("drawn"), lifetime: Duration.millis(lifetime) })
      : yield* down
  })
  yield* cache.get("app", source)
  return { asked, cache, source }
})

/** The first look at which something holds. */
const whenFirst = (lifetime: number, holds: (snapshot: TokenCache.Snapshot) => boolean) =>
  Effect.gen(function*() {
    const { cache } = yield* holding(lifetime)
    while (!holds(yield* cache.peek("app"))) yield* TestClock.adjust(Duration.millis(lifetime / looks))
    return yield* Clock.currentTimeMillis
  }).pipe(Effect.scoped, onTestClock)

const drawing = (value: number) => ({ nextDoubleUnsafe: () => value, nextIntUnsafe: () => 0 })

const attemptsOf = (lifetime: number) =>
  Effect.gen(function*() {
    const { asked, cache, source } = yield* holding(lifetime)
    for (let look = 0; look < looks; look++) {
      yield* Effect.forkChild(Effect.ignore(cache.get("app", source)), { startImmediately: true })
      yield* TestClock.adjust(Duration.millis(lifetime / looks))
    }
    return asked.slice(1).filter((at) => at <= lifetime)
  }).pipe(Effect.scoped, onTestClock, Random.withSeed("timeline"))

export const watch = (lifetime: number): Effect.Effect<TokenLife, OAuthError.OAuthError> =>
  Effect.gen(function*() {
    const isDue = whenFirst(lifetime, (snapshot) => snapshot.isDue)
    return {
      lifetime,
      due: {
        earliest: yield* Effect.provideService(isDue, Random.Random, drawing(0)),
        latest: yield* Effect.provideService(isDue, Random.Random, drawing(1))
      },
      usable: yield* whenFirst(lifetime, ({ held }) => held === undefined),
      attempts: yield* attemptsOf(lifetime)
    }
  })
