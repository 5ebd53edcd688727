/**
 * Where a runtime ends what a request has begun as soon as it is answered (Workers do), this is how work is held that
 * others wait for as well.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/** Told of work that has to come to its end. */
export const Hold = Context.Reference<(work: Promise<void>) => void>("@effect-identity/coze-issuer/internal/Hold", {
  defaultValue: () => () => {}
})

/** Holds an effect while it runs. */
export const during = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Hold, (hold) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    hold(promise)
    return Effect.ensuring(effect, Effect.sync(resolve))
  })
