/**
 * What does the work behind every `Client` of a process.
 *
 * A program can hold several copies of this package, because bundlers make them. The first copy that is asked puts its
 * engine where the others find it, so that they share one cache. What crosses between copies is this interface, of
 * plain values and promises only; whoever changes it counts `abi` up.
 */
import * as NodeEngine from "./NodeEngine.ts"

const abi = 1

const place = Symbol.for(`@effect-identity/client/engine/${abi}`)

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

const registry: typeof globalThis & { [place]?: Engine } = globalThis

export const shared = (): Engine => registry[place] ??= NodeEngine.make()
