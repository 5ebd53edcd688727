/**
 * The engine of this copy: the services of `workload-identity`, run behind promises.
 */
import type { AccessToken } from "@effect-identity/oauth/AccessToken"
import * as Fingerprint from "@effect-identity/oauth/Fingerprint"
import * as Rejection from "@effect-identity/oauth/Rejection"
import * as TokenCache from "@effect-identity/oauth/TokenCache"
import * as Config from "@effect-identity/workload-identity/Config"
import * as HttpClient from "@effect-identity/workload-identity/HttpClient"
import * as Lane from "@effect-identity/workload-identity/Lane"
import { ClientSecretFile, NodeHttpAgent, NodeHttpClient, ProxyConfig } from "@effect-identity/workload-identity/node"
import * as OutboundAuth from "@effect-identity/workload-identity/OutboundAuth"
import * as WorkloadIdentity from "@effect-identity/workload-identity/WorkloadIdentity"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as EffectHttpClient from "effect/http/HttpClient"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import type { Engine, Session, Settings } from "./Engine.ts"
import * as NodeHmac from "./NodeHmac.ts"

/** Rejects with the typed error, or with the reason of the signal that stopped it. */
const run = async <A, E, R>(
  context: Context.Context<R>,
  effect: Effect.Effect<A, E, R>,
  signal: AbortSignal | undefined
): Promise<A> => {
  signal?.throwIfAborted()
  const exit = await Effect.runPromiseExitWith(context)(effect, { signal })
  if (Exit.isSuccess(exit)) return exit.value
  signal?.throwIfAborted()
  throw Rejection.of(exit.cause)
}

type Identity = WorkloadIdentity.WorkloadIdentity["Service"]

/** Gives out the token that is remembered, as one promise for as long as it is the same. */
const freshFrom = (identity: Identity, context: Context.Context<never>) => {
  let last: { readonly token: AccessToken; readonly answer: Promise<string> } | undefined
  return (): Promise<string> | undefined => {
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

/** The value of an effect that waits for nothing. Throws what it fails with. */
const now = <A, E>(effect: Effect.Effect<A, E>): A => {
  const exit = Effect.runSyncExit(effect)
  if (Exit.isSuccess(exit)) return exit.value
  throw Rejection.of(exit.cause)
}

const clientOf = ({ connectTimeout }: Config.WorkloadConfig["Service"]) => {
  const agents = (hold: NodeHttpAgent.Hold) => NodeHttpAgent.direct(Duration.toMillis(connectTimeout), { hold })
  return HttpClient.withUserAgent(NodeHttpClient.make({ usual: agents("process"), quiet: agents("nothing") }))
}

const surroundings = Context.make(Fingerprint.Hmac, NodeHmac.make).pipe(
  // What fails in the background is for diagnose() to tell: a library writes nothing to its program's output.
  Context.add(Logger.CurrentLoggers, new Set())
)

export const make = (): Engine => {
  // Never closed: it is there for as long as the process.
  const cache = now(Scope.provide(TokenCache.make(), Scope.makeUnsafe()))

  const open = (settings: Settings): Session => {
    // The default provider keeps the environment it saw first.
    const environment = ConfigProvider.fromEnv()
    const config = now(
      Effect.provideService(
        Config.make({
          timeout: settings.timeoutMs,
          connectTimeout: settings.connectTimeoutMs,
          projectEnvVarsLifetime: settings.projectEnvVarsLifetimeMs,
          strictness: settings.strictness,
          readSecretFile: ClientSecretFile.read
        }),
        ConfigProvider.ConfigProvider,
        environment
      )
    )
    const services = surroundings.pipe(
      Context.add(ConfigProvider.ConfigProvider, environment),
      Context.add(Config.WorkloadConfig, config),
      Context.add(TokenCache.TokenCache, cache),
      Context.add(Lane.Lane, Lane.make(config.lane)),
      Context.add(EffectHttpClient.HttpClient, clientOf(config))
    )
    const outbound = now(Effect.provideContext(OutboundAuth.make, services))
    const identity = now(
      Effect.provideContext(WorkloadIdentity.make, Context.add(services, OutboundAuth.OutboundAuth, outbound))
    )
    const ask = <A, E>(effect: Effect.Effect<A, E>, signal?: AbortSignal) => run(services, effect, signal)
    const usualToken = together(() => ask(plainToken(identity.accessToken)))
    return {
      diagnose: () =>
        ask(Effect.zipWith(identity.diagnose, ProxyConfig.diagnose, (diagnosis, proxy) => ({ ...diagnosis, proxy }))),
      freshAccessToken: freshFrom(identity, services),
      accessToken: ({ forceRefresh, signal }) =>
        !forceRefresh && signal === undefined
          ? usualToken()
          : ask(plainToken(forceRefresh ? identity.refreshedAccessToken : identity.accessToken), signal),
      integrationCredential: (name, { signal }) =>
        ask(Effect.map(identity.integrationCredential(name), Redacted.value), signal),
      projectEnvVars: ({ remembered, signal }) =>
        ask(
          Effect.map(
            remembered ? identity.rememberedProjectEnvVars : identity.projectEnvVars,
            (vars) => Array.from(vars.map(Redacted.value))
          ),
          signal
        )
    }
  }

  return { open }
}
