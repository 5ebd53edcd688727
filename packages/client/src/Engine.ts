/**
 * What does the work behind every `Client`.
 *
 * A program can hold several copies of this package, because bundlers make them, and this is what passes between them:
 * plain values and promises only. Whoever changes it counts `abi` up.
 */

export const abi = 1

export interface Settings {
  readonly timeoutMs: number
  readonly connectTimeoutMs: number
  readonly strictness: "strict" | "lenient"
}

export interface Session {
  readonly accessToken: (options: { readonly signal: AbortSignal | undefined }) => Promise<string>
}

export interface Engine {
  /** Reads the environment, once. Throws `ConfigurationError`. */
  readonly open: (settings: Settings) => Session
}
