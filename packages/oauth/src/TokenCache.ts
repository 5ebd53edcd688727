/**
 * Turns any source of tokens into one that asks once and remembers.
 *
 * A source is an effect with a key. However many callers ask for a key, there is one flight: it belongs to the cache,
 * so a caller who leaves changes nothing for the others, and it is interrupted, on the wire too, when the last one leaves.
 *
 * A token is given out until shortly before its end, whatever happens to its replacement. From about three quarters of its
 * life on, earlier for short ones, it is replaced in the background and nobody waits. A failure is shared by those who
 * waited for it; then there is a pause, for everyone with that key, before the next attempt.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type { AccessToken } from "./AccessToken.ts"
import * as Instant from "./Instant.ts"
import * as Boarding from "./internal/Boarding.ts"
import { closed, Flights, type Source, within } from "./internal/Flights.ts"
import * as Report from "./internal/Report.ts"
import * as SlotState from "./internal/Slot.ts"
import { Slots } from "./internal/Slots.ts"
import { Tally } from "./internal/Tally.ts"
import { Watch } from "./internal/Watch.ts"
import type { OAuthError } from "./OAuthError.ts"

/**
 * Why a token was handed out: it was fresh (`hit`), it was valid and is being replaced (`stale-hit`), or a flight was waited
 * for, because nothing usable was held (`miss`), it was due (`refresh`), someone wanted a new one (`forced`) or the one
 * before was refused (`rejected`).
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Reason = "hit" | "stale-hit" | "miss" | "refresh" | "forced" | "rejected"

/**
 * What a flight brought home, when, and what it was sent for.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Landed {
  readonly token: AccessToken
  readonly landedAt: Instant.Instant
  readonly fetchedFor: "miss" | "refresh" | "forced" | "rejected"
}

/**
 * What the cache knows about a key.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Snapshot {
  /** The token that would be handed out. */
  readonly held: Landed | undefined
  /** Whether that is old enough to be replaced. */
  readonly isDue: boolean
  /** Whether a flight is in the air. */
  readonly isFlying: boolean
  /** The failure that is remembered, and for how much longer. */
  readonly coolDown: { readonly error: OAuthError; readonly remaining: Duration.Duration } | undefined
  /** Why a token was last handed out. */
  readonly lastAnswer: Reason | undefined
}

/**
 * Tokens by key.
 *
 * @stability unstable
 * @category services
 * @since 0.1.0
 */
export class TokenCache extends Context.Service<TokenCache, {
  /**
   * The token of `key`: the remembered one while it may be handed out, otherwise one from `source`, asked once for all who
   * wait. A key stands for a whole identity; two sources under one key are taken to be the same.
   *
   * Fails with what the source failed with, also while that is remembered (then `retryAfter` says how much longer), with
   * `Unexpected` when the source died, with `Closed`, and with `Timeout` when it waited for `patience`: the flight goes on
   * for the others.
   */
  readonly get: (
    key: string,
    source: Effect.Effect<AccessToken, OAuthError>,
    patience?: Duration.Duration
  ) => Effect.Effect<AccessToken, OAuthError>
  /**
   * A token of `key` from a flight that begins after this call. Callers who come while one is in the air share the next.
   * What is held stays in place until then. Fails like `get`.
   */
  readonly refresh: (
    key: string,
    source: Effect.Effect<AccessToken, OAuthError>,
    patience?: Duration.Duration
  ) => Effect.Effect<AccessToken, OAuthError>
  /**
   * Drops the token of `key` because someone who was shown it refused it, if it is still the one that is held. Answers
   * whether it is worth asking again: not when one was dropped a moment ago, because then the token is not what is wrong.
   */
  readonly reject: (key: string, refused: AccessToken) => Effect.Effect<boolean>
  /** What is known of `key`, without asking for anything. */
  readonly peek: (key: string) => Effect.Effect<Snapshot>
  /**
   * The token that `get` would hand out as a `hit` at this moment, without running an effect, and `undefined` where it would
   * do anything else. Clock and metrics are those of `context`.
   */
  readonly freshUnsafe: (key: string, context: Context.Context<never>) => AccessToken | undefined
}>()("@effect-identity/oauth/TokenCache") {}

/**
 * How many tokens are kept, when they are replaced, and how long failures are remembered.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Tokens remembered at once; the least recently used one goes first. Flights are never dropped. @default 10000 */
  readonly capacity?: number | undefined
  /** Share of its life after which a token is replaced, give or take a twentieth. @default 0.75 */
  readonly refreshShare?: number | undefined
  /** How long before its end a token is replaced, at least. @default 1 minute */
  readonly margin?: Duration.Input | undefined
  /** Share of its life that the margin takes at most. @default 0.5 */
  readonly marginShare?: number | undefined
  /** Life a token must have left to be handed out: a fortieth of its life if that is less. @default 1 second */
  readonly handOverMinimum?: Duration.Input | undefined
  /** Pause after a failure: at least the minimum, growing at random with every failure in a row. */
  readonly coolDown?: {
    /** @default 1 second */
    readonly minimum?: Duration.Input | undefined
    /** @default 30 seconds */
    readonly maximum?: Duration.Input | undefined
  } | undefined
  /** How long a refusal such as `invalid_client` is remembered, at most: half of it at least. @default 30 seconds */
  readonly refusalMemory?: Duration.Input | undefined
  /** How long a token that replaced a refused one is kept although it is refused too. @default 30 seconds */
  readonly rejectionPause?: Duration.Input | undefined
}

const millis = (input: Duration.Input | undefined, standard: Duration.Input) => Duration.toMillis(input ?? standard)
const nowOf = (fiber: Fiber.Fiber<unknown, unknown>): Instant.Instant => Instant.nowUnsafe(fiber.getRef(Clock.Clock))

/**
 * Makes a cache that closes with its scope: flights are given up, and whoever waits or comes later fails with `Closed`.
 *
 * @example
 * ```ts
 * import { AccessToken, TokenCache } from "@effect-identity/oauth"
 * import { Effect, Redacted } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   let asked = 0
 *   const cache = yield* TokenCache.make()
 *   const source = Effect.suspend(() => {
 *     asked++
 *     return AccessToken.make({ value: Redacted.make("s3cret"), lifetime: "1 hour" })
 *   })
 *   yield* Effect.all(Array.from({ length: 1000 }, () => cache.get("app", source)), { concurrency: "unbounded" })
 *   return asked
 * })
 *
 * Effect.runPromise(Effect.scoped(program)) // => 1
 * ```
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  options: Options = {}
): Effect.fn.Return<TokenCache["Service"], never, Scope.Scope> {
  const rejectionPause = millis(options.rejectionPause, "30 seconds")
  const slots = new Slots(options.capacity ?? 10_000)
  const coolDown = {
    minimum: millis(options.coolDown?.minimum, "1 second"),
    maximum: millis(options.coolDown?.maximum, "30 seconds"),
    refusalMemory: millis(options.refusalMemory, "30 seconds")
  }
  const flights = new Flights({
    lifespan: {
      refreshShare: options.refreshShare ?? 0.75,
      margin: millis(options.margin, "1 minute"),
      marginShare: options.marginShare ?? 0.5,
      handOverMinimum: millis(options.handOverMinimum, "1 second")
    },
    coolDown
  })
  const watch = new Watch()
  const tally = new Tally()
  yield* Effect.addFinalizer(() => flights.close)

  const { fetchOrFail, waitFor } = Boarding.make(slots, flights)

  /**
   * No failure is told before the token that is held has ended, nor one of an attempt that was made before: the next attempt
   * may succeed.
   */
  const endure = (key: string, slot: SlotState.Slot, source: Source, error: OAuthError): Source =>
    Effect.withFiber((fiber) => {
      const pause = flights.isClosed ? undefined : slot.enduresFor(nowOf(fiber), coolDown.minimum)
      return pause === undefined ? Effect.fail(error) : Effect.delay(get(key, source), Duration.millis(pause))
    })

  const freshUnsafe = (key: string, context: Context.Context<never>): AccessToken | undefined => {
    const slot = flights.isClosed ? undefined : slots.find(key)
    const token = slot?.token
    if (slot === undefined || token === undefined) return undefined
    const age = watch.since(token.requestedAt, context)
    if (age >= slot.refreshAfter) return undefined
    slots.use(key)
    slot.lastAnswer = "hit"
    tally.add(context, token, age)
    return token
  }

  const get = (key: string, source: Source, patience?: Duration.Duration): Source =>
    Effect.withFiber((fiber) => {
      if (flights.isClosed) return Effect.fail(closed)
      const fresh = freshUnsafe(key, fiber.context)
      if (fresh !== undefined) return Report.answer(fiber, fresh, "hit")
      const slot = slots.use(key)
      const now = nowOf(fiber)
      const { token, usableFor } = slot
      if (token !== undefined) {
        const age = Instant.elapsed(token.requestedAt, now)
        if (age < usableFor) {
          if (slot.flight === undefined && slot.coolingFor(now) === 0) {
            flights.launchInBackground(slot, usableFor - age, source, fiber.context)
          }
          return Report.handOver(fiber, slot, token, "stale-hit", age)
        }
      }
      return within(
        patience,
        Effect.catch(fetchOrFail(slot, now, source), (error) => endure(key, slot, source, error))
      )
    })

  const refresh = (key: string, source: Source, patience?: Duration.Duration): Source =>
    Effect.withFiber((fiber) => {
      if (flights.isClosed) return Effect.fail(closed)
      const slot = slots.use(key)
      const failure = slot.failureAt(nowOf(fiber))
      return failure === undefined
        ? within(
          patience,
          waitFor(slot, ({ context }) => slot.nextForced ?? flights.launchForced(slot, source, context))
        )
        : Effect.fail(failure)
    })

  const reject = (key: string, refused: AccessToken): Effect.Effect<boolean> =>
    Effect.map(Instant.now, (now) => {
      const slot = slots.find(key)
      if (slot?.token !== refused) return true
      const isTooSoon = slot.rejectedAt !== undefined && Instant.elapsed(slot.rejectedAt, now) < rejectionPause
      if (isTooSoon && slot.fetchedFor !== "forced") return false
      slot.drop(now)
      return true
    })

  const peek = (key: string): Effect.Effect<Snapshot> =>
    Effect.map(Instant.now, (now) => (slots.find(key) ?? new SlotState.Slot()).snapshotAt(now))

  return TokenCache.of({ get, refresh, reject, peek, freshUnsafe })
})

/**
 * A cache of its own for whoever builds this layer.
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layerLocal = (options?: Options): Layer.Layer<TokenCache> => Layer.effect(TokenCache, make(options))

let processWide: TokenCache["Service"] | undefined

/**
 * The cache that everyone in this process shares, however often the layer is built.
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<TokenCache> = Layer.sync(
  TokenCache,
  () => processWide ??= Effect.runSync(Scope.provide(make(), Scope.makeUnsafe()))
)
