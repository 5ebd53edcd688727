/**
 * The engine of this copy: the Effect layers of `workload-identity`, run behind promises.
 */
import type { AccessToken } from "@effect-identity/oauth/AccessToken"
import * as TokenCache from "@effect-identity/oauth/TokenCache"
import * as Config from "@effect-identity/workload-identity/Config"
import { ClientSecretFile, NodeWorkloadIdentity, ProxyConfig } from "@effect-identity/workload-identity/node"
import * as WorkloadIdentity from "@effect-identity/workload-identity/WorkloadIdentity"
import * as Cause from "effect/Cause"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import type { Engine, Session, Settings } from "./Engine.ts"

/** Rejects with the typed error, or with the reason of the signal that stopped it. */
const run = async <A, E, R>(
  runtime: ManagedRuntime.ManagedRuntime<R, never>,
  effect: Effect.Effect<A, E, R>,
  signal: AbortSignal | undefined
): Promise<A> => {
  signal?.throwIfAborted()
  const exit = await runtime.runPromiseExit(effect, { signal })
  if (Exit.isSuccess(exit)) return exit.value
  signal?.throwIfAborted()
  throw Cause.squash(exit.cause)
}

const { WorkloadIdentity: Identity } = WorkloadIdentity

/** Gives out the token that is remembered, as one promise for as long as it is the same. */
const freshFrom = (runtime: ManagedRuntime.ManagedRuntime<WorkloadIdentity.WorkloadIdentity, never>) => {
  let identity: WorkloadIdentity.WorkloadIdentity["Service"] | undefined
  let last: { readonly token: AccessToken; readonly answer: Promise<string> } | undefined
  return (): Promise<string> | undefined => {
    // There is a context from the first call on.
    const context = runtime.cachedContext
    if (context === undefined) return undefined
    identity ??= Context.get(context, Identity)
    const token = identity.freshAccessTokenUnsafe(context)
    if (token === undefined) return undefined
    if (last?.token !== token) last = { token, answer: Promise.resolve(Redacted.value(token.value)) }
    return last.answer
  }
}

/**
 * Has all who ask in one turn wait for one answer: a fiber for each of ten thousand callers who begin at once takes longer
 * than the requests that they wait for.
 */
const together = (ask: () => Promise<string>) => {
  let asked: Promise<string> | undefined
  const forget = () => {
    asked = undefined
  }
  return (): Promise<string> => {
    if (asked === undefined) {
      asked = ask()
      queueMicrotask(forget)
    }
    return asked
  }
}

const plainToken = Effect.map((token: AccessToken) => Redacted.value(token.value))

export const make = (): Engine => {
  // Never closed: it is there for as long as the process.
  const cache = Effect.runSync(Scope.provide(TokenCache.make(), Scope.makeUnsafe()))
  const layerCache = Layer.succeed(TokenCache.TokenCache, cache)

  const open = (settings: Settings): Session => {
    // The default provider keeps the environment it saw first.
    const environment = ConfigProvider.fromEnv()
    const config = Effect.runSync(
      Config.make({
        timeout: settings.timeoutMs,
        connectTimeout: settings.connectTimeoutMs,
        projectEnvVarsLifetime: settings.projectEnvVarsLifetimeMs,
        strictness: settings.strictness,
        readSecretFile: ClientSecretFile.read
      }).pipe(
        Effect.provideService(ConfigProvider.ConfigProvider, environment),
        Effect.exit
      )
    )
    if (Exit.isFailure(config)) throw Cause.squash(config.cause)
    const runtime = ManagedRuntime.make(NodeWorkloadIdentity.layerNodeHttp.pipe(
      Layer.provide(Layer.succeed(Config.WorkloadConfig, config.value)),
      Layer.provide(layerCache),
      // What fails in the background is for diagnose() to tell: a library writes nothing to its program's output.
      Layer.provideMerge(Logger.layer([]))
    ))
    const usualToken = together(() =>
      run(runtime, Identity.use((identity) => plainToken(identity.accessToken)), undefined)
    )
    return {
      diagnose: () =>
        run(
          runtime,
          Effect.zipWith(
            Identity.use((identity) => identity.diagnose),
            ProxyConfig.diagnose,
            (diagnosis, proxy) => ({ ...diagnosis, proxy })
          ).pipe(Effect.provideService(ConfigProvider.ConfigProvider, environment)),
          undefined
        ),
      freshAccessToken: freshFrom(runtime),
      accessToken: ({ forceRefresh, signal }) =>
        !forceRefresh && signal === undefined ? usualToken() : run(
          runtime,
          Identity.use((identity) => plainToken(forceRefresh ? identity.refreshedAccessToken : identity.accessToken)),
          signal
        ),
      integrationCredential: (name, { signal }) =>
        run(
          runtime,
          Identity.use((identity) => Effect.map(identity.integrationCredential(name), Redacted.value)),
          signal
        ),
      projectEnvVars: ({ remembered, signal }) =>
        run(
          runtime,
          Identity.use((identity) =>
            Effect.map(
              remembered ? identity.rememberedProjectEnvVars : identity.projectEnvVars,
              (vars) => Array.from(vars.map(Redacted.value))
            )
          ),
          signal
        )
    }
  }

  return { open }
}
