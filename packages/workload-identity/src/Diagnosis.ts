/**
 * What an operator wants to know at three in the morning, without a single value in it.
 *
 * Shapes only, shared by both APIs: the layers fill them in.
 *
 * @since 0.1.0
 */
import type { ConfigurationIssue, Details, Step } from "./WorkloadIdentityError.ts"

/**
 * One variable of the environment. `missing` is a required one that is not set, `absent` one that need not be.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Variable {
  readonly name: string
  readonly state: "set" | "missing" | "absent" | "invalid"
  /** The rule an invalid one breaks. */
  readonly rule?: string
}

/**
 * The token that is held, if there is one.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface HeldToken {
  /** Milliseconds since it was asked for. */
  readonly ageMs: number
  /** Milliseconds until it ends. */
  readonly remainingMs: number
  /** Why it was asked for: nothing was held, it was due, someone wanted a new one, or the one before was refused. */
  readonly fetchedFor: "miss" | "refresh" | "forced" | "rejected"
  /** Tokens this process has asked for, up to and including this one. */
  readonly generation: number
}

/**
 * What the cache does for this workload.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface CacheState {
  /** Whether a token is being asked for. */
  readonly isAsking: boolean
  /** Why a token was last handed out: `hit`, `stale-hit` (valid, and due), or what the request for it was made for. */
  readonly lastAnswer: "hit" | "stale-hit" | "miss" | "refresh" | "forced" | "rejected" | undefined
  /** Milliseconds until a token is asked for again, after the last attempt failed. */
  readonly coolDownMs: number
  /** How that failed, also where nobody waited for it. */
  readonly failure: Details | undefined
}

/**
 * The last time a step failed.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Failure extends Details {
  /** Milliseconds since the Unix epoch. */
  readonly at: number
}

/**
 * What is set, what is held, and what failed last: names, lengths, ages and reasons, never a value.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Diagnosis {
  readonly variables: ReadonlyArray<Variable>
  readonly lane: "none" | "boe" | "ppe" | "custom"
  readonly token: HeldToken | undefined
  readonly cache: CacheState
  /** By step; steps that have not failed are left out. */
  readonly failures: Readonly<Partial<Record<Step, Failure>>>
}

/**
 * The state of the proxy settings.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface ProxyDiagnosis {
  readonly proxy: "none" | "configured" | "invalid"
  readonly ca: "default" | "text" | "file" | "invalid"
  /** Certificates trusted besides the default ones. */
  readonly certificates: number
  readonly issues: ReadonlyArray<ConfigurationIssue>
}
