/**
 * An issuer behind promises: its layers built once, and requests run with them.
 */
import * as Rejection from "@effect-identity/oauth/Rejection"
import * as TokenCache from "@effect-identity/oauth/TokenCache"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Scheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"
import * as Callers from "../Callers.ts"
import * as CozeApp from "../CozeApp.ts"
import * as CozeAppConfig from "../CozeAppConfig.ts"
import * as Issuer from "../Issuer.ts"
import { Hold } from "./Hold.ts"

export interface Settings {
  readonly app: CozeAppConfig.CozeAppConfig["Service"]
  readonly callers: Callers.Callers["Service"]
}

/** Told of work that has to come to its end although its request has been answered. */
export type WaitUntil = (work: Promise<void>) => void

type Services = CozeApp.CozeApp | Issuer.Issuer

export interface Engine {
  /** Runs an effect, and rejects with what it fails with or with the reason of the signal that stopped it. */
  readonly run: <A, E>(effect: Effect.Effect<A, E, Services>, options?: {
    readonly signal?: AbortSignal | undefined
    readonly waitUntil?: WaitUntil | undefined
  }) => Promise<A>
  readonly close: () => Promise<void>
}

const layer = ({ app, callers }: Settings): Layer.Layer<Services> =>
  Issuer.layer.pipe(
    Layer.provideMerge(CozeApp.layer),
    Layer.provide(FetchHttpClient.layer),
    Layer.provide(TokenCache.layerLocal()),
    Layer.provide(Layer.succeed(CozeAppConfig.CozeAppConfig, app)),
    Layer.provide(Layer.succeed(Callers.Callers, callers))
  )

/**
 * Whoever is woken by what another request has brought runs on in the context of that one, in which no timer may be left:
 * Workers drop it with the request.
 */
const scheduler = new Scheduler.MixedScheduler("async", (task) => {
  let isCancelled = false
  queueMicrotask(() => {
    if (!isCancelled) task()
  })
  return () => {
    isCancelled = true
  }
})

export const make = Effect.fnUntraced(function*(settings: Settings): Effect.fn.Return<Engine> {
  const scope = yield* Scope.make()
  const built = yield* Layer.buildWithScope(layer(settings), scope)
  const context = Context.merge(yield* Effect.context<never>(), Context.add(built, Scheduler.Scheduler, scheduler))

  return {
    run: async (effect, { signal, waitUntil } = {}) => {
      signal?.throwIfAborted()
      const held = waitUntil === undefined ? effect : Effect.provideService(effect, Hold, waitUntil)
      const exit = await Effect.runPromiseExitWith(context)(held, { signal })
      if (Exit.isSuccess(exit)) return exit.value
      signal?.throwIfAborted()
      throw Rejection.of(exit.cause)
    },
    close: () => Effect.runPromise(Scope.close(scope, Exit.void))
  }
})
