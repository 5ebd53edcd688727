/**
 * The proxy settings of the process environment.
 */
import * as Rejection from "@effect-identity/oauth/Rejection"
import { CaBundleFile, ProxyConfig } from "@effect-identity/workload-identity/node"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"

/** Reads the environment as it is now. Throws `ConfigurationError`. */
export const read = (): ProxyConfig.ProxyConfig["Service"] => {
  const exit = Effect.runSyncExit(
    Effect.provideService(ProxyConfig.make, ConfigProvider.ConfigProvider, ConfigProvider.fromEnv())
  )
  if (Exit.isSuccess(exit)) return exit.value
  throw Rejection.of(exit.cause)
}

export const httpsProxy = (): string | null => {
  const { proxy } = read()
  return proxy === undefined ? null : Redacted.value(proxy.url)
}

export const caBundlePath = (): string | null => {
  const { ca } = read()
  return ca === undefined ? null : CaBundleFile.pathOf(ca)
}
