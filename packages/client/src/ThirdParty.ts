/**
 * Sends requests to third parties over Node's own HTTP.
 */
import { NodeHttpAgent, ProxyHttpClient } from "@effect-identity/workload-identity/node"
import type * as Http from "node:http"
import type { HttpClient } from "./HttpClient.ts"
import * as ProxyEnvironment from "./ProxyEnvironment.ts"

type Send = HttpClient["request"]

interface Outgoing {
  readonly method: string
  readonly url: URL
  readonly headers: Headers
  readonly body: Uint8Array | undefined
}

const maximumRedirects = 20

const exchange = ({ body, headers, method, url }: Outgoing, agents: NodeHttpAgent.Agents, signal: AbortSignal) =>
  new Promise<Http.IncomingMessage>((resolve, reject) => {
    const request = NodeHttpAgent.request(agents, url, { method, headers: Object.fromEntries(headers), signal })
    request.once("error", reject)
    // An answer that switches protocols is none, and Node says no more about it than this.
    request.once("close", () => reject(Object.assign(new Error(), { code: "ECONNRESET" })))
    request.once("response", (response) => {
      request.off("error", reject)
      // Reported by whoever reads the body.
      request.on("error", () => {})
      resolve(response)
    })
    request.end(body)
  })

const credentialHeaders = ["authorization", "cookie", "proxy-authorization"]

/** Where a redirect leads, by the rules of fetch: no credentials to another origin, no body where the method changes. */
const redirected = (
  sent: Outgoing,
  { headers: { location }, statusCode = 0 }: Http.IncomingMessage
): Outgoing | undefined => {
  if (![301, 302, 303, 307, 308].includes(statusCode) || location === undefined) return undefined
  const url = URL.parse(location, sent.url)
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) return undefined
  const headers = new Headers(sent.headers)
  if (url.origin !== sent.url.origin) { for (const name of credentialHeaders) headers.delete(name) }
  const becomesGet = statusCode === 303 ? sent.method !== "HEAD" : statusCode < 303 && sent.method === "POST"
  if (!becomesGet) return { ...sent, url, headers }
  for (const name of ["content-type", "content-length", "content-encoding"]) headers.delete(name)
  return { url, headers, method: "GET", body: undefined }
}

/** What went wrong, in the words of this package. */
type Failing = (error: unknown) => unknown

const toStream = (message: Http.IncomingMessage, failing: Failing): ReadableStream<Uint8Array<ArrayBuffer>> => {
  const chunks: AsyncIterator<unknown> = message[Symbol.asyncIterator]()
  return new ReadableStream({
    pull: async (controller) => {
      try {
        const { done, value } = await chunks.next()
        if (done === true) controller.close()
        else if (value instanceof Uint8Array) controller.enqueue(new Uint8Array(value))
      } catch (error) {
        throw failing(error)
      }
    },
    cancel: () => {
      message.destroy()
    }
  })
}

const isNullBody = (method: string, status: number): boolean => method === "HEAD" || [204, 205, 304].includes(status)

const toResponse = (method: string, message: Http.IncomingMessage, failing: Failing): Response => {
  const headers = new Headers()
  for (const [name, values] of Object.entries(message.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value)
  }
  const { statusCode = 0, statusMessage = "" } = message
  const init = { status: statusCode, statusText: statusMessage, headers }
  if (isNullBody(method, statusCode)) {
    message.resume()
    return new Response(null, init)
  }
  const encoding = headers.get("content-encoding")?.toLowerCase()
  const bytes = toStream(message, failing)
  if (encoding !== "gzip" && encoding !== "deflate") return new Response(bytes, init)
  headers.delete("content-encoding")
  headers.delete("content-length")
  return new Response(bytes.pipeThrough(new DecompressionStream(encoding)), init)
}

const toOutgoing = async (request: Request): Promise<Outgoing> => {
  const headers = new Headers(request.headers)
  if (!headers.has("accept")) headers.set("accept", "*/*")
  if (!headers.has("accept-encoding")) headers.set("accept-encoding", "gzip, deflate")
  const body = request.body === null ? undefined : new Uint8Array(await request.arrayBuffer())
  if (body !== undefined) headers.set("content-length", String(body.length))
  return { method: request.method, url: new URL(request.url), headers, body }
}

/** The runtime's own error quotes what it refused: a URL with a password, a header with a token. */
const toRequest = (url: string | URL, init: RequestInit | undefined): Request => {
  try {
    return new Request(url, init)
  } catch {
    throw new TypeError("the URL, a header or another part of the request is not valid")
  }
}

const send = async (request: Request, agents: NodeHttpAgent.Agents, timeoutMs: number): Promise<Response> => {
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(timeoutMs)])
  const failing: Failing = (error) => {
    if (request.signal.aborted) return request.signal.reason
    if (error instanceof TypeError) return error
    return ProxyHttpClient.toError(signal.aborted ? Object.assign(new Error(), { code: "ERR_TOTAL_TIMEOUT" }) : error)
  }
  try {
    let outgoing = await toOutgoing(request)
    for (let redirects = 0; redirects <= maximumRedirects; redirects++) {
      const message = await exchange(outgoing, agents, signal)
      const next = request.redirect === "manual" ? undefined : redirected(outgoing, message)
      if (next === undefined) return toResponse(outgoing.method, message, failing)
      message.resume()
      if (request.redirect === "error") throw new TypeError("redirect mode is set to error")
      outgoing = next
    }
    throw new TypeError("redirected too often")
  } catch (error) {
    throw failing(error)
  }
}

/** Only what waits for more: an answer may still be read after its client was closed. */
const endIdle = (agent: Http.Agent) => {
  for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy()
}

/** A client through the proxy of the environment, which is read here. */
export const make = (
  { connectTimeoutMs, timeoutMs }: { readonly connectTimeoutMs: number; readonly timeoutMs: number }
): HttpClient => {
  const agents = ProxyHttpClient.makeAgents(ProxyEnvironment.read(), { connectTimeout: connectTimeoutMs })
  const request: Send = async (url, init) => send(toRequest(url, init), agents, timeoutMs)
  const withMethod = (method: string): Send => (url, init) => request(url, { ...init, method })
  return {
    request,
    get: withMethod("GET"),
    post: withMethod("POST"),
    put: withMethod("PUT"),
    patch: withMethod("PATCH"),
    delete: withMethod("DELETE"),
    head: withMethod("HEAD"),
    options: withMethod("OPTIONS"),
    close: async () => {
      for (const agent of agents.made()) endIdle(agent)
    }
  }
}
