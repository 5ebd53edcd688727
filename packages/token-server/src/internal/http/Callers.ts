/**
 * Whose key a request has. What the database said of a key holds for five seconds, and is asked again in the background
 * before they are over, once however many requests there are.
 */
import * as Cache from "effect/Cache"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { NotFound, type StoreFailed } from "../Failure.ts"
import { type ApiKey, ApiKeyStore } from "../store/ApiKeyStore.ts"

const life = 5000
const renewAt = 2500
const capacity = 10_000

/** How long a key that was good goes on reading tokens while the database cannot be asked. */
export const Grace = Context.Reference<Duration.Duration>("@effect-identity/token-server/internal/http/Callers/Grace", {
  defaultValue: () => Duration.minutes(15)
})

interface Verified {
  readonly key: ApiKey
  /** When the database said so. */
  readonly at: number
  /** Until when tokens are read with it without asking. */
  readonly readableUntil: number
}

export class Callers extends Context.Service<Callers, {
  /**
   * The key with this digest, from memory or the database. Fails with `NotFound` for one that is revoked or expired, too.
   * Where tokens are read, a key that was good within the grace is good while the database cannot be asked.
   */
  readonly find: (digest: string, use: "change" | "read") => Effect.Effect<ApiKey, NotFound | StoreFailed>
  /** What is known of it for reading at this moment; has it asked for again in the background where that is due. */
  readonly peekUnsafe: (digest: string, now: number) => ApiKey | undefined
  /** After a change: nothing that was known counts any more. */
  readonly forget: Effect.Effect<void>
}>()("@effect-identity/token-server/internal/http/Callers") {}

const isUsable = ({ expiresAt, revokedAt }: ApiKey, now: number): boolean =>
  revokedAt === undefined && (expiresAt === undefined || now < expiresAt)

export const make: Effect.Effect<Callers["Service"], never, ApiKeyStore | Scope.Scope> = Effect.gen(function*() {
  const store = yield* ApiKeyStore
  const clock = yield* Clock.Clock
  const grace = Duration.toMillis(yield* Grace)
  const fork = yield* FiberSet.makeRuntime()
  const verified = new Map<string, Verified>()
  const renewing = new Set<string>()
  let changes = 0

  const remember = (digest: string, entry: Verified): void => {
    verified.delete(digest)
    const [oldest] = verified.keys()
    if (verified.size >= capacity && oldest !== undefined) verified.delete(oldest)
    verified.set(digest, entry)
  }

  const ask = (digest: string) =>
    Effect.suspend(() => {
      const before = changes
      const stillReadable = Effect.sync(() => {
        const entry = verified.get(digest)
        const now = clock.currentTimeMillisUnsafe()
        if (entry !== undefined && now < entry.at + grace) remember(digest, { ...entry, readableUntil: now + life })
      })
      return store.find(digest).pipe(
        Effect.tap((key) =>
          Effect.sync(() => {
            const at = clock.currentTimeMillisUnsafe()
            // What was read before a change may be what the change has ended.
            if (before === changes) remember(digest, { key, at, readableUntil: at + life })
          })
        ),
        Effect.tapErrorTag("NotFound", () => Effect.sync(() => verified.delete(digest))),
        Effect.tapErrorTag("StoreFailed", () => stillReadable)
      )
    })

  // Joins those who ask at the same time, and keeps nothing: that is done above.
  const flights = yield* Cache.makeWith(ask, { capacity, timeToLive: () => Duration.zero })

  const renew = (digest: string): void => {
    if (renewing.has(digest)) return
    renewing.add(digest)
    fork(
      Cache.get(flights, digest).pipe(
        Effect.ignore,
        Effect.ensuring(Effect.sync(() => renewing.delete(digest)))
      )
    )
  }

  const known = (digest: string, use: "change" | "read", now: number): ApiKey | undefined => {
    const entry = verified.get(digest)
    if (entry === undefined) return undefined
    const until = use === "read" ? entry.readableUntil : entry.at + life
    if (now >= until) return undefined
    if (until - now < life - renewAt) renew(digest)
    return entry.key
  }

  const find = Effect.fnUntraced(function*(
    digest: string,
    use: "change" | "read"
  ): Effect.fn.Return<ApiKey, NotFound | StoreFailed> {
    const atHand = known(digest, use, clock.currentTimeMillisUnsafe())
    const key = atHand ?? (yield* Cache.get(flights, digest).pipe(
      Effect.catchTag("StoreFailed", (error): Effect.Effect<ApiKey, StoreFailed> => {
        const kept = use === "read" ? known(digest, use, clock.currentTimeMillisUnsafe()) : undefined
        return kept === undefined ? Effect.fail(error) : Effect.succeed(kept)
      })
    ))
    return isUsable(key, clock.currentTimeMillisUnsafe()) ? key : yield* new NotFound({ what: "apiKey" })
  })

  return Callers.of({
    find,
    peekUnsafe: (digest, now) => {
      const key = known(digest, "read", now)
      return key !== undefined && isUsable(key, now) ? key : undefined
    },
    forget: Effect.sync(() => {
      changes++
      verified.clear()
    })
  })
})

export const layer: Layer.Layer<Callers, never, ApiKeyStore> = Layer.effect(Callers, make)
