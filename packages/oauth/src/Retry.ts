/**
 * Repeats what can help to repeat, for as long as there is time.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Instant from "./Instant.ts"

/**
 * How often something is tried at most, the first time included.
 *
 * @stability unstable
 * @category references
 * @since 0.1.0
 */
export const Attempts: Context.Reference<number> = Context.Reference("@effect-identity/oauth/Retry/Attempts", {
  defaultValue: () => 3
})

/**
 * Tries an effect, and what it calls, once only.
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const once = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.provideService(effect, Attempts, 1)

/**
 * What a failure says about another attempt: not at all, or after a wait that the server asked for, or whenever.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Advice {
  readonly isRetryable: boolean
  readonly retryAfter: Duration.Duration | undefined
}

/**
 * How long attempts may go on, and what a failure says about the next one.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Options<E> {
  /** All attempts and the waits between them. */
  readonly timeout: Duration.Duration
  readonly advice: (error: E) => Advice
  /**
   * Share of a wait the server asked for that is waited on top at random, so that those who were told the same do not come
   * back together. @default 0
   */
  readonly spread?: number | undefined
  /** What it fails with when the time is over and no attempt has failed yet. */
  readonly onTimeout: () => E
}

const firstWait = 250

/**
 * Runs an effect until it succeeds, fails in a way that another attempt does not change, has been tried {@link Attempts}
 * times or has no time left. Between attempts it waits as long as the server asked, or a random part of a quarter of a
 * second, then of half a second. A wait that does not fit into the time left is not begun.
 *
 * When time runs out it fails with the last failure, if there was one.
 *
 * @example
 * ```ts
 * import { Retry } from "@effect-identity/oauth"
 * import { Duration, Effect } from "effect"
 *
 * let tried = 0
 * const flaky = Effect.suspend(() => ++tried < 3 ? Effect.fail("reset") : Effect.succeed("token"))
 *
 * const answer = Retry.within(flaky, {
 *   timeout: Duration.seconds(30),
 *   advice: () => ({ isRetryable: true, retryAfter: undefined }),
 *   onTimeout: () => "timeout"
 * })
 *
 * await Effect.runPromise(answer) // => "token"
 * ```
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const within = <A, E, R>(effect: Effect.Effect<A, E, R>, options: Options<E>): Effect.Effect<A, E, R> =>
  Effect.gen(function*() {
    const attempts = yield* Attempts
    const started = yield* Instant.now
    let lastError: E | undefined

    const attempt = (nth: number): Effect.Effect<A, E, R> =>
      Effect.catch(effect, (error) =>
        Effect.gen(function*() {
          lastError = error
          const { isRetryable, retryAfter } = options.advice(error)
          if (!isRetryable || nth >= attempts) return yield* Effect.fail(error)
          const drawn = yield* Random.next
          const wait = retryAfter === undefined
            ? drawn * firstWait * 2 ** (nth - 1)
            : Duration.toMillis(retryAfter) * (1 + drawn * (options.spread ?? 0))
          const left = Duration.toMillis(options.timeout) - Instant.elapsed(started, yield* Instant.now)
          if (wait >= left) return yield* Effect.fail(error)
          yield* Effect.sleep(Duration.millis(wait))
          yield* Effect.annotateCurrentSpan("http.request.resend_count", nth)
          return yield* attempt(nth + 1)
        }))

    return yield* Effect.timeoutOrElse(attempt(1), {
      duration: options.timeout,
      orElse: () => Effect.fail(lastError ?? options.onTimeout())
    })
  })
