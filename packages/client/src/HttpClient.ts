/**
 * Requests to third parties, in the shape of `fetch`: through the outbound proxy when there is one, directly when not.
 */
import { ConfigurationError } from "@effect-identity/workload-identity/WorkloadIdentityError"
import * as MachineryPlace from "./MachineryPlace.ts"
import { issueOf } from "./Millis.ts"

/**
 * How long requests to third parties may take.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface HttpClientOptions {
  /** Milliseconds one request may take, redirects and the body of the answer included. @default 30000 */
  readonly timeoutMs?: number | undefined
  /** Milliseconds one connection may take to be made, CONNECT and TLS included. @default 5000 */
  readonly connectTimeoutMs?: number | undefined
}

type Send = (url: string | URL, init?: RequestInit) => Promise<Response>

/**
 * A client that takes what `fetch` takes and answers a WHATWG `Response`.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface HttpClient {
  readonly request: Send
  readonly get: Send
  readonly post: Send
  readonly put: Send
  readonly patch: Send
  readonly delete: Send
  readonly head: Send
  readonly options: Send
  /** Ends the connections that wait for more. Requests after it still work. */
  readonly close: () => Promise<void>
}

/**
 * Makes a client. The proxy and its certificates are read from the environment here, once.
 *
 * Throws `ConfigurationError`. Requests reject with a `WorkloadIdentityError` of step `http`, whose reason is `Proxy` when
 * the proxy failed (it is never gone around), with the reason of their signal, and with `TypeError` where `fetch` does; so does
 * whoever reads an answer that ends before its end.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const createHttpClient = (
  { connectTimeoutMs = 5_000, timeoutMs = 30_000 }: HttpClientOptions = {}
): HttpClient => {
  const issues = [...issueOf("timeoutMs", timeoutMs), ...issueOf("connectTimeoutMs", connectTimeoutMs)]
  if (issues.length > 0) throw new ConfigurationError(issues)
  return MachineryPlace.get().makeHttpClient({ connectTimeoutMs, timeoutMs })
}

let shared: HttpClient | undefined

const lazily = (name: Exclude<keyof HttpClient, "close">): Send => async (url, init) =>
  (shared ??= createHttpClient())[name](url, init)

/**
 * A client made on first use, with the defaults of {@link createHttpClient}.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const http: HttpClient = {
  request: lazily("request"),
  get: lazily("get"),
  post: lazily("post"),
  put: lazily("put"),
  patch: lazily("patch"),
  delete: lazily("delete"),
  head: lazily("head"),
  options: lazily("options"),
  close: async () => {
    await shared?.close()
    shared = undefined
  }
}
