/**
 * The Promise side: a thin skin over the engine all clients of a process share.
 */
import { ConfigurationError, type ConfigurationIssue } from "@effect-identity/workload-identity/WorkloadIdentityError"
import type { Session } from "./Engine.ts"
import * as SharedEngine from "./SharedEngine.ts"

/**
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface ClientOptions {
  /** Milliseconds one upstream request may take, from connecting to the last byte. @default 30000 */
  readonly timeoutMs?: number | undefined
  /** Milliseconds one connection may take to be made, TLS included. @default 5000 */
  readonly connectTimeoutMs?: number | undefined
  /**
   * `"lenient"` takes token answers without a JSON content type, `token_type` or `issued_token_type`.
   * @default "strict"
   */
  readonly strictness?: "strict" | "lenient" | undefined
}

/**
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface CallOptions {
  /** Stops waiting, and rejects with the reason of the signal. Others who wait for the same token go on. */
  readonly signal?: AbortSignal | undefined
}

// Longer timers fire at once in JavaScript.
const maximumMillis = 2 ** 31 - 1

const issueOf = (name: string, millis: number): ReadonlyArray<ConfigurationIssue> =>
  typeof millis === "number" && millis >= 1 && millis <= maximumMillis
    ? []
    : [{ name, rule: `must be a number of milliseconds from 1 to ${maximumMillis}` }]

/**
 * The identity of this workload, as the environment describes it.
 *
 * The environment is read once, here. Throws `ConfigurationError` that lists everything that is missing or wrong.
 *
 * @example
 * ```ts
 * import { Client, ConfigurationError } from "@effect-identity/client"
 *
 * try {
 *   await using client = new Client({ timeoutMs: 10_000 })
 *   await client.getAccessToken()
 * } catch (error) {
 *   error instanceof ConfigurationError // true, unless the COZE_* variables are set
 * }
 * ```
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export class Client implements AsyncDisposable {
  readonly #session: Session

  constructor({ connectTimeoutMs = 5_000, strictness = "strict", timeoutMs = 30_000 }: ClientOptions = {}) {
    const issues = [...issueOf("timeoutMs", timeoutMs), ...issueOf("connectTimeoutMs", connectTimeoutMs)]
    if (issues.length > 0) throw new ConfigurationError(issues)
    this.#session = SharedEngine.get().open({ timeoutMs, connectTimeoutMs, strictness })
  }

  /**
   * The access token: the remembered one while it is fresh, otherwise a new one, asked for once however many callers
   * and clients of this identity wait. Rejects with `TokenRetrievalError` when there is no id token, and with
   * `TokenExchangeError` when it cannot be traded.
   */
  getAccessToken({ signal }: CallOptions = {}): Promise<string> {
    return this.#session.accessToken({ signal })
  }

  /**
   * There is nothing to close: connections end by themselves and nothing keeps the process alive. Kept because
   * programs call it; calls after it still work.
   */
  async close(): Promise<void> {}

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
