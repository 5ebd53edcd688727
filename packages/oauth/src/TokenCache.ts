/**
 * Turns any source of tokens into one that asks once and remembers.
 *
 * A source is an effect with a key. However many callers ask for a key, there is one flight: it belongs to the cache,
 * so a caller who leaves changes nothing for the others, and it is interrupted, on the wire too, when the last one has
 * left. A failure is shared by those who waited for it and then forgotten.
 *
 * @since 0.1.0
 */
import * as Cache from "effect/Cache"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as Hash from "effect/Hash"
import * as Iterable from "effect/Iterable"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { AccessToken, remainingAt } from "./AccessToken.ts"
import * as Instant from "./Instant.ts"
import type { OAuthError } from "./OAuthError.ts"

/**
 * What a flight brought home, when, and what it was sent for: nothing fresh was held, someone wanted a new one, or the
 * one before was refused.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Landed {
  readonly token: AccessToken
  readonly landedAt: Instant.Instant
  readonly fetchedFor: "miss" | "forced" | "rejected"
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
   * The token of `key`: the remembered one while it is fresh, otherwise one from `source`, asked once for all who wait.
   * A key stands for a whole identity; two sources under one key are taken to be the same.
   */
  readonly get: (
    key: string,
    source: Effect.Effect<AccessToken, OAuthError>
  ) => Effect.Effect<AccessToken, OAuthError>
  /**
   * A token of `key` from a flight that begins after this call. Callers who come while one is in the air share the next.
   */
  readonly refresh: (
    key: string,
    source: Effect.Effect<AccessToken, OAuthError>
  ) => Effect.Effect<AccessToken, OAuthError>
  /**
   * Drops the token of `key` because someone who was shown it refused it, if it is still the one that is held. Answers
   * whether it is worth asking again: not when the refused token was itself obtained in place of a refused one a moment
   * ago, because then the token is not what is wrong.
   */
  readonly reject: (key: string, refused: AccessToken) => Effect.Effect<boolean>
  /** What is held for `key`, without asking for anything. */
  readonly peek: (key: string) => Effect.Effect<Option.Option<Landed>>
}>()("@effect-identity/oauth/TokenCache") {}

/**
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Tokens remembered at once; the least recently used one goes first. Flights are never dropped. @default 10000 */
  readonly capacity?: number | undefined
  /** How long before its end a token is replaced, at most: half of its life if that is less. @default 1 minute */
  readonly margin?: Duration.Input | undefined
  /** How long a token that replaced a refused one is kept although it is refused too. @default 30 seconds */
  readonly rejectionPause?: Duration.Input | undefined
}

/** Equal by key alone, so that whoever comes second joins the flight of the first. */
class Request implements Equal.Equal {
  readonly key: string
  readonly source: Effect.Effect<AccessToken, OAuthError>
  constructor(key: string, source: Effect.Effect<AccessToken, OAuthError>) {
    this.key = key
    this.source = source
  }
  [Equal.symbol](that: unknown): boolean {
    return that instanceof Request && that.key === this.key
  }
  [Hash.symbol](): number {
    return Hash.string(this.key)
  }
}

/**
 * Flights run in the context of the cache and that of their first caller. A cache outlives whoever made it, so nothing of
 * its maker, neither clock nor tracer, may reach the flights of others.
 */
const inNobodysContext = <A>(effect: Effect.Effect<A>): Effect.Effect<A> =>
  Effect.updateContext(effect, (_maker: Context.Context<never>) => Context.empty())

/**
 * Makes a cache of its own.
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
 * Effect.runSync(program) // => 1
 * ```
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  options: Options = {}
): Effect.fn.Return<TokenCache["Service"]> {
  const capacity = options.capacity ?? 10_000
  const margin = Duration.toMillis(options.margin ?? "1 minute")
  const rejectionPause = Duration.toMillis(options.rejectionPause ?? "30 seconds")
  const rejected = new Set<string>()
  const forcing = new Map<string, Deferred.Deferred<void>>()
  let generation = 0

  const freshFor = (token: AccessToken, now: Instant.Instant): number => {
    const lifetime = Duration.toMillis(token.lifetime)
    return Duration.toMillis(remainingAt(token, now)) - Math.min(margin, lifetime / 2)
  }

  const fly = Effect.fnUntraced(function*(request: Request): Effect.fn.Return<Landed, OAuthError> {
    // Drawn at the start: of two flights, the one that began later has the newer token.
    const number = ++generation
    const token = new AccessToken({ ...yield* request.source, generation: number })
    const fetchedFor = rejected.delete(request.key) ? "rejected" : forcing.has(request.key) ? "forced" : "miss"
    return { token, landedAt: yield* Instant.now, fetchedFor }
  })

  const cache = yield* inNobodysContext(Cache.makeWith(fly, {
    // The cache itself would evict flights too; `evict` takes what has landed only.
    capacity: Number.POSITIVE_INFINITY,
    timeToLive: Exit.match({
      onFailure: () => Duration.zero,
      onSuccess: ({ landedAt, token }) => Duration.millis(Math.max(0, freshFor(token, landedAt)))
    })
  }))

  const evict = Effect.gen(function*() {
    const excess = (yield* Cache.size(cache)) - capacity
    if (excess <= 0) return
    const oldest = Array.from(Iterable.take(yield* Cache.entries(cache), excess))
    yield* Effect.forEach(oldest, ([request]) => Cache.invalidate(cache, request), { discard: true })
  })

  const get = Effect.fnUntraced(function*(request: Request) {
    const held = yield* Cache.getSuccess(cache, request)
    if (Option.isSome(held)) {
      // `Cache` knows the wall clock only, so the monotonic one has to be asked here.
      if (freshFor(held.value.token, yield* Instant.now) > 0) return held.value.token
      yield* Cache.invalidateWhen(cache, request, (current) => current === held.value)
    }
    const { token } = yield* Cache.get(cache, request)
    yield* evict
    return token
  })

  /** Flies anew. What is held stays in place until something newer has landed. */
  const flyAnew = Effect.fnUntraced(function*(request: Request) {
    if (Option.isNone(yield* Cache.getSuccess(cache, request))) {
      yield* Cache.invalidate(cache, request)
      return yield* get(request)
    }
    const landed = yield* fly(request)
    const held = yield* Cache.getSuccess(cache, request)
    if (Option.isNone(held) || held.value.token.generation < landed.token.generation) {
      yield* Cache.set(cache, request, landed)
    }
    return landed.token
  })

  const refreshes: Cache.Cache<Request, AccessToken, OAuthError> = yield* inNobodysContext(Cache.makeWith(
    Effect.fnUntraced(function*(request: Request) {
      // A lookup begins before its entry is in place, and could not be taken out again below.
      yield* Effect.yieldNow
      const before = forcing.get(request.key)
      if (before !== undefined) yield* Deferred.await(before)
      // Whoever comes from here on must not share what has begun, and waits for its end to begin the next.
      const done = Deferred.makeUnsafe<void>()
      forcing.set(request.key, done)
      yield* Cache.invalidate(refreshes, request)
      return yield* Effect.ensuring(
        flyAnew(request),
        Effect.suspend(() => {
          if (forcing.get(request.key) === done) forcing.delete(request.key)
          return Deferred.succeed(done, undefined)
        })
      )
    }),
    { capacity: Number.POSITIVE_INFINITY, timeToLive: () => Duration.zero }
  ))

  const reject = Effect.fnUntraced(function*(request: Request, refused: AccessToken) {
    const held = yield* Cache.getSuccess(cache, request)
    if (Option.isNone(held) || held.value.token !== refused) return true
    const { fetchedFor, landedAt } = held.value
    if (fetchedFor === "rejected" && Instant.elapsed(landedAt, yield* Instant.now) < rejectionPause) return false
    rejected.add(request.key)
    yield* Cache.invalidateWhen(cache, request, (current) => current === held.value)
    return true
  })

  return TokenCache.of({
    get: (key, source) => get(new Request(key, source)),
    refresh: (key, source) => Cache.get(refreshes, new Request(key, source)),
    reject: (key, refused) => reject(new Request(key, Effect.never), refused),
    peek: (key) => Cache.getSuccess(cache, new Request(key, Effect.never))
  })
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
  () => processWide ??= Effect.runSync(make())
)
