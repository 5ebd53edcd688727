/**
 * The proxy settings of the process environment.
 */
import { ProxyConfig } from "@effect-identity/workload-identity/node"
import * as Cause from "effect/Cause"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

/** Reads the environment as it is now. Throws `ConfigurationError`. */
export const read = (): ProxyConfig.ProxyConfig["Service"] => {
  const exit = Effect.runSyncExit(
    Effect.provideService(ProxyConfig.make, ConfigProvider.ConfigProvider, ConfigProvider.fromEnv())
  )
  if (Exit.isSuccess(exit)) return exit.value
  throw Cause.squash(exit.cause)
}
