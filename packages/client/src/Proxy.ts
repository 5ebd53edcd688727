/**
 * The outbound proxy of the environment, and the certificates it is trusted by.
 */
import { CaBundleFile, ProxyConfig } from "@effect-identity/workload-identity/node"
import * as Cause from "effect/Cause"
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
  throw Cause.squash(exit.cause)
}

/**
 * The URL of the outbound proxy, with `space` and the identity ticket in it, percent-encoded; `null` when no proxy is
 * set. Throws `ConfigurationError` when the proxy is set without `identity_ticket`.
 *
 * @stability stable
 * @category proxy
 * @since 0.1.0
 */
export const httpsProxy = (): string | null => {
  const { proxy } = read()
  return proxy === undefined ? null : Redacted.value(proxy.url)
}

/**
 * The path of the certificates to trust besides the default ones; `null` when none are set. Certificates that were set
 * as text are written to a private file first, which is removed when the process ends. Throws `ConfigurationError` when
 * they cannot be used.
 *
 * @stability stable
 * @category proxy
 * @since 0.1.0
 */
export const caBundlePath = (): string | null => {
  const { ca } = read()
  return ca === undefined ? null : CaBundleFile.pathOf(ca)
}
