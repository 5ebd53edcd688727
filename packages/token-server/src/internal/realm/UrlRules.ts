/**
 * Which addresses a realm may name. What their host names lead to is looked at when they are used.
 */
import * as SecureUrl from "@effect-identity/oauth/SecureUrl"
import { hasControlCharacters, refuse, type Setting } from "@effect-identity/oauth/Setting"
import * as Result from "effect/Result"
import { isIP } from "node:net"
import * as AddressRules from "../upstream/AddressRules.ts"

export interface Limits {
  /** Undefined where every host may be named. */
  readonly allowedHosts: ReadonlyArray<string> | undefined
  readonly openings: ReadonlyArray<AddressRules.Opening>
}

const metadataHosts = new Set(["metadata.google.internal", "metadata.goog", "metadata.tencentyun.com"])

/** A host name as addresses are compared: without brackets. */
export const bare = (hostname: string): string => hostname.replace(/^\[|\]$/g, "")

const isListed = (hostname: string, allowedHosts: ReadonlyArray<string>): boolean =>
  allowedHosts.some((allowed) => allowed.startsWith("*.") ? hostname.endsWith(allowed.slice(1)) : hostname === allowed)

/** What a host name that needs no look-up stands for. */
const literalOf = (hostname: string): string | undefined => {
  if (isIP(hostname) !== 0) return hostname
  return hostname === "localhost" || hostname.endsWith(".localhost") ? "127.0.0.1" : undefined
}

const ruleOf = ({ hostname, port }: SecureUrl.SecureUrl, { allowedHosts, openings }: Limits): string | undefined => {
  const host = bare(hostname)
  if (host.endsWith(".")) return "must name a host without a dot at its end"
  const literal = literalOf(host)
  if (metadataHosts.has(host) || (literal !== undefined && AddressRules.judge(literal) === "metadata")) {
    return "must not be the address of a metadata service, or link-local"
  }
  if (literal !== undefined && !AddressRules.isAllowed({ hostname: host, port, address: literal }, openings)) {
    return "must be a public address, or one that private_addresses opens"
  }
  if (allowedHosts !== undefined && !isListed(host, allowedHosts)) return "must have one of the allowed_hosts"
  return undefined
}

/** Reads an address that secrets are sent to. */
export const read = (name: string, text: string, limits: Limits): Setting<SecureUrl.SecureUrl> => {
  // The parser of URLs drops some of them.
  if (hasControlCharacters(text) || text !== text.trim()) {
    return refuse(name, "must not contain control characters, nor white space around it")
  }
  return Result.flatMap(Result.mapError(SecureUrl.parse(text), ({ rule }) => ({ name, rule })), (url) => {
    const rule = ruleOf(url, limits)
    return rule === undefined ? Result.succeed(url) : refuse(name, rule)
  })
}

/** An entry of allowed_hosts in the form that hosts are compared in; undefined when it is none. */
export const readHost = (text: string): string | undefined => {
  const prefix = text.startsWith("*.") ? "*." : ""
  const hostname = URL.parse(`https://${text.slice(prefix.length)}/`)
  if (hostname === null || hostname.host === "" || hostname.pathname !== "/" || hostname.port !== "") return undefined
  return /[\s/?#@:]/.test(text.slice(prefix.length).replace(/^\[[\da-f:.]+\]$/i, ""))
    ? undefined
    : prefix + bare(hostname.hostname)
}
