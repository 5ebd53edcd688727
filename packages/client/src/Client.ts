/**
 * The Promise side: a thin skin over the engine all clients of a process share.
 */
import type { Diagnosis, ProxyDiagnosis } from "@effect-identity/workload-identity/Diagnosis"
import { ConfigurationError, OutboundAuthError } from "@effect-identity/workload-identity/WorkloadIdentityError"
import type { Session } from "./Engine.ts"
import { issueOf } from "./Millis.ts"
import { ProjectEnvVars } from "./ProjectEnvVars.ts"
import * as SharedEngine from "./SharedEngine.ts"

/**
 * How long a client waits, and how strictly it reads. Who it is stands in the environment.
 *
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
  /** Milliseconds that project variables are remembered by calls that ask for remembered ones. @default 60000 */
  readonly projectEnvVarsLifetimeMs?: number | undefined
}

/**
 * What one call may be told.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface CallOptions {
  /** Stops waiting, and rejects with the reason of the signal. Others who wait for the same token go on. */
  readonly signal?: AbortSignal | undefined
}

const none: CallOptions & { readonly forceRefresh?: boolean | undefined } = {}

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

  constructor({
    connectTimeoutMs = 5_000,
    projectEnvVarsLifetimeMs = 60_000,
    strictness = "strict",
    timeoutMs = 30_000
  }: ClientOptions = {}) {
    const issues = [
      ...issueOf("timeoutMs", timeoutMs),
      ...issueOf("connectTimeoutMs", connectTimeoutMs),
      ...issueOf("projectEnvVarsLifetimeMs", projectEnvVarsLifetimeMs)
    ]
    if (issues.length > 0) throw new ConfigurationError(issues)
    this.#session = SharedEngine.get().open({ timeoutMs, connectTimeoutMs, projectEnvVarsLifetimeMs, strictness })
  }

  /**
   * The access token: the remembered one while it is fresh, otherwise a new one, asked for once however many callers
   * and clients of this identity wait. Rejects with `TokenRetrievalError` when there is no id token, and with
   * `TokenExchangeError` when it cannot be traded.
   *
   * With `forceRefresh` it is a new one, from a request that is sent after this call; others keep the one that is held
   * until then.
   */
  getAccessToken(
    options: CallOptions & { readonly forceRefresh?: boolean | undefined } = none
  ): Promise<string> {
    const { forceRefresh = false, signal } = options
    const fresh = forceRefresh || signal !== undefined ? undefined : this.#session.freshAccessToken()
    return fresh ?? this.#session.accessToken({ forceRefresh, signal })
  }

  /**
   * The credential of an integration, asked for anew on every call. Placeholders such as `COZE_CRED_DUMMY_1` are what
   * they are: the outbound proxy puts the real value in their place. Rejects with `OutboundAuthError`, with the errors of
   * `getAccessToken`, and with `ConfigurationError` when `COZE_OUTBOUND_AUTH_ENDPOINT` is not set.
   */
  getIntegrationCredential(name: string, { signal }: CallOptions = {}): Promise<string> {
    return this.#session.integrationCredential(name, { signal })
  }

  /** The credential of an integration, read as the JSON text that many of them are. */
  async getIntegrationCredentialJson(name: string, options?: CallOptions): Promise<unknown> {
    const credential = await this.getIntegrationCredential(name, options)
    try {
      return JSON.parse(credential)
    } catch {
      // The parser's own error quotes the credential.
      throw new OutboundAuthError("credential is not JSON", {
        step: "integrationCredential",
        reason: "InvalidResponse",
        detail: "credentialJson",
        retryable: false
      })
    }
  }

  /**
   * The variables of the project, asked for anew on every call, or, with `remembered`, once for all who ask within
   * `projectEnvVarsLifetimeMs`. Rejects like `getIntegrationCredential`.
   */
  async getProjectEnvVars(
    { remembered = false, signal }: CallOptions & { readonly remembered?: boolean | undefined } = {}
  ): Promise<ProjectEnvVars> {
    return new ProjectEnvVars(await this.#session.projectEnvVars({ remembered, signal }))
  }

  /**
   * What is set and what is wrong with it, what token is held and why it was asked for, and how each step failed last.
   * Names, ages and reasons; never a value.
   */
  diagnose(): Promise<Diagnosis & { readonly proxy: ProxyDiagnosis }> {
    return this.#session.diagnose()
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
