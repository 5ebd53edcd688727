/**
 * Turns what a transport threw into a reason. Only the error codes along the chain of causes are read; messages and
 * objects stay behind, because they quote addresses, headers and proxy passwords.
 */
import * as Predicate from "effect/Predicate"
import { InvalidResponse, Proxy, type Reason, Timeout, Tls, Transport } from "../OAuthError.ts"

const reasons: ReadonlyArray<readonly [pattern: RegExp, reason: () => Reason]> = [
  [/^ECONNREFUSED$/, () => new Transport({ detail: "refused" })],
  [/^(?:ENOTFOUND|ENODATA)$/, () => new Transport({ detail: "dns", isPermanent: true })],
  [/^(?:EAI_\w+|ESERVFAIL)$/, () => new Transport({ detail: "dns" })],
  [/^E(?:HOST|NET)(?:UNREACH|DOWN)$|^EADDRNOTAVAIL$/, () => new Transport({ detail: "unreachable" })],
  [/^ERR_TOTAL_TIMEOUT$/, () => new Timeout({ detail: "total" })],
  [/^ETIMEDOUT$|^UND_ERR_CONNECT_TIMEOUT$/, () => new Timeout({ detail: "connect" })],
  [/^CERT_(?:HAS_EXPIRED|NOT_YET_VALID)$/, () => new Tls({ detail: "expired" })],
  [/^ERR_TLS_CERT_ALTNAME_INVALID$|^HOSTNAME_MISMATCH$/, () => new Tls({ detail: "hostname" })],
  [
    /^CERT_|^UNABLE_TO_|SELF_SIGNED_CERT|^INVALID_(?:CA|PURPOSE)$|^PATH_LENGTH_EXCEEDED$/,
    () => new Tls({ detail: "untrusted" })
  ],
  [/^ERR_(?:SSL|TLS)_|^EPROTO$/, () => new Tls({ detail: "protocol" })],
  [/^HPE_|^UND_ERR_HEADERS_OVERFLOW$/, () => new InvalidResponse({ status: undefined, detail: "http" })],
  [/^ECONNRESET$|^ECONNABORTED$|^EPIPE$|^UND_ERR_SOCKET$/, () => new Transport({ detail: "reset" })]
]

/** The error of a CONNECT agent says itself what went wrong with the proxy, under this code. */
const proxyCode = "ERR_PROXY"

const proxyDetails = ["authentication", "status", "unreachable", "tls", "timeout"] as const

const maximumDepth = 8

const proxyReason = (error: unknown, depth: number): Proxy | undefined => {
  if (depth > maximumDepth || !Predicate.isObject(error)) return undefined
  if (Predicate.hasProperty(error, "code") && error.code === proxyCode && Predicate.hasProperty(error, "detail")) {
    const detail = proxyDetails.find((each) => each === error.detail) ?? "unreachable"
    const status = Predicate.hasProperty(error, "status") && typeof error.status === "number" ? error.status : undefined
    return new Proxy({ detail, status })
  }
  return Predicate.hasProperty(error, "cause") ? proxyReason(error.cause, depth + 1) : undefined
}

const codes = (error: unknown, depth: number): ReadonlyArray<string> => {
  if (depth > maximumDepth || !Predicate.isObject(error)) return []
  const own = Predicate.hasProperty(error, "code") && typeof error.code === "string" ? [error.code] : []
  const attempts = error instanceof AggregateError ? error.errors.flatMap((each) => codes(each, depth + 1)) : []
  const cause = Predicate.hasProperty(error, "cause") ? codes(error.cause, depth + 1) : []
  return [...own, ...attempts, ...cause]
}

export const classify = (error: unknown): Reason => {
  const proxy = proxyReason(error, 0)
  if (proxy !== undefined) return proxy
  const found = codes(error, 0)
  for (const [pattern, reason] of reasons) {
    if (found.some((code) => pattern.test(code))) return reason()
  }
  return new Transport({ detail: "other" })
}
