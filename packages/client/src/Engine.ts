/**
 * What does the work behind every `Client`.
 *
 * A program can hold several copies of this package, because bundlers make them, and this is what passes between them:
 * plain values and promises only. Whoever changes it counts `abi` up.
 */
import type { Diagnosis, ProxyDiagnosis } from "@effect-identity/workload-identity/Diagnosis"

export const abi = 2

export interface Settings {
  readonly timeoutMs: number
  readonly connectTimeoutMs: number
  readonly projectEnvVarsLifetimeMs: number
  readonly strictness: "strict" | "lenient"
}

export interface Call {
  readonly signal: AbortSignal | undefined
}

export interface Session {
  readonly diagnose: () => Promise<Diagnosis & { readonly proxy: ProxyDiagnosis }>

  /** The token that is remembered, when it can be given out as it is. */
  readonly freshAccessToken: () => Promise<string> | undefined
  readonly accessToken: (call: Call & { readonly forceRefresh: boolean }) => Promise<string>
  readonly integrationCredential: (name: string, call: Call) => Promise<string>
  readonly projectEnvVars: (
    call: Call & { readonly remembered: boolean }
  ) => Promise<ReadonlyArray<{ readonly key: string; readonly value: string }>>
}

export interface Engine {
  /** Reads the environment, once. Throws `ConfigurationError`. */
  readonly open: (settings: Settings) => Session
}
