/**
 * Which IP addresses are public, which are not, and which are never connected to. After the registries of special-purpose
 * addresses (RFC 6890), read through the ways in which an IPv4 address hides in an IPv6 one.
 */
import { BlockList, isIP } from "node:net"

/** `metadata` is link-local and everything where clouds keep credentials of their machines: nothing ever opens that. */
export type Verdict = "public" | "private" | "metadata"

type Family = "ipv4" | "ipv6"

const ranges = (family: Family, entries: ReadonlyArray<string>): BlockList => {
  const list = new BlockList()
  for (const entry of entries) {
    const [network = "", bits = ""] = entry.split("/")
    list.addSubnet(network, Number(bits), family)
  }
  return list
}

const metadata = {
  ipv4: ranges("ipv4", [
    "169.254.0.0/16",
    // Alibaba Cloud, Volcano Engine, Oracle, Azure.
    "100.100.100.200/32",
    "100.96.0.96/32",
    "192.0.0.192/32",
    "168.63.129.16/32"
  ]),
  // Link-local, Amazon, Google.
  ipv6: ranges("ipv6", ["fe80::/10", "fd00:ec2::/32", "fd20:ce::/32"])
}

const specialIpv4 = ranges("ipv4", [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4"
])

const globalIpv6 = ranges("ipv6", ["2000::/3"])

// Teredo and other protocol assignments, documentation, 6to4.
const specialIpv6 = ranges("ipv6", ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"])

const nat64 = ranges("ipv6", ["64:ff9b::/96"])

const parseGroups = (part: string | undefined): ReadonlyArray<number> =>
  part === undefined || part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16))

const groupsOf = (address: string): ReadonlyArray<number> => {
  // The parser of URLs gives the one form of RFC 5952, an IPv4 tail in hexadecimal too.
  const hostname = URL.parse(`http://[${address}]/`)?.hostname.slice(1, -1) ?? ""
  const [head = "", tail] = hostname.split("::")
  const before = parseGroups(head)
  const after = parseGroups(tail)
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after]
}

const ipv4Of = (high: number, low: number): string => [high >> 8, high & 0xff, low >> 8, low & 0xff].join(".")

/** An address in the form that it is judged in: without zone, and IPv4 where it is mapped. Undefined when it is none. */
export const canonical = (address: string): string | undefined => {
  const [bare = ""] = address.split("%")
  if (isIP(bare) !== 6) return isIP(bare) === 4 ? bare : undefined
  const [a, b, c, d, e, f, high = 0, low = 0] = groupsOf(bare)
  return [a, b, c, d, e].every((group) => group === 0) && f === 0xffff ? ipv4Of(high, low) : bare
}

/** The IPv4 addresses that one may be a cover of: compatible, NAT64, 6to4, Teredo, ISATAP. */
const hiddenIn = (address: string): ReadonlyArray<string> => {
  const [, second = 0, third = 0, , , , high = 0, low = 0] = groupsOf(address)
  return [ipv4Of(high, low), ipv4Of(second, third), ipv4Of(high ^ 0xffff, low ^ 0xffff)]
}

const judgeIpv6 = (address: string): Verdict => {
  if (metadata.ipv6.check(address, "ipv6")) return "metadata"
  const hidden = hiddenIn(address)
  const isGlobal = globalIpv6.check(address, "ipv6") && !specialIpv6.check(address, "ipv6")
  if (isGlobal) return "public"
  if (hidden.some((each) => metadata.ipv4.check(each, "ipv4"))) return "metadata"
  return nat64.check(address, "ipv6") ? judge(hidden[0] ?? "") : "private"
}

/** What an address is. What is none is `private`. */
export const judge = (address: string): Verdict => {
  const known = canonical(address)
  if (known === undefined) return "private"
  if (isIP(known) === 6) return judgeIpv6(known)
  if (metadata.ipv4.check(known, "ipv4")) return "metadata"
  return specialIpv4.check(known, "ipv4") ? "private" : "public"
}

/** Whom a connection is to. `hostname` is as the address bar has it: lower case, without brackets. */
export interface Peer {
  readonly hostname: string
  readonly port: number
  readonly address: string
}

/** Something that is opened although it is not public. */
export type Opening = (peer: Peer) => boolean

const portPattern = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/

const within = (network: string, bits: number): Opening | undefined => {
  const family = isIP(network)
  const maximum = family === 4 ? 32 : 128
  if (family === 0 || bits > maximum) return undefined
  const list = ranges(family === 4 ? "ipv4" : "ipv6", [`${network}/${bits}`])
  return ({ address }) => {
    const known = canonical(address)
    return known !== undefined && isIP(known) === family && list.check(known, family === 4 ? "ipv4" : "ipv6")
  }
}

const isHostName = (text: string): boolean =>
  /^[a-z\d](?:[a-z\d-]*[a-z\d])?(?:\.[a-z\d](?:[a-z\d-]*[a-z\d])?)*$/.test(text)

/** Reads `address`, `address:port`, `range/bits` or `host:port`; undefined when it is none of them. */
export const parseOpening = (text: string): Opening | undefined => {
  const range = /^([^/]+)\/(\d{1,3})$/.exec(text)
  if (range !== null) return within(range[1] ?? "", Number(range[2]))
  if (isIP(text) !== 0) return within(text, isIP(text) === 4 ? 32 : 128)
  const [, bracketed, plain = "", digits = ""] = portPattern.exec(text) ?? []
  const port = Number(digits)
  if (digits === "" || port < 1 || port > 65_535) return undefined
  const host = bracketed ?? plain
  if (isIP(host) === (bracketed === undefined ? 4 : 6)) {
    const isWithin = within(host, bracketed === undefined ? 32 : 128)
    return isWithin && ((peer) => peer.port === port && isWithin(peer))
  }
  return bracketed === undefined && isHostName(host) && !/^[\d.]+$/.test(host)
    ? (peer) => peer.port === port && peer.hostname === host
    : undefined
}

/** Whether a connection may be made. */
export const isAllowed = (peer: Peer, openings: ReadonlyArray<Opening>): boolean => {
  const verdict = judge(peer.address)
  return verdict === "public" || (verdict === "private" && openings.some((opens) => opens(peer)))
}

/** Whether what was opened is never connected to all the same: an address or range that lies in a metadata range. */
export const opensNothing = (text: string): boolean => {
  const [network = ""] = text.split("/")
  const address = isIP(network) === 0 ? (portPattern.exec(text)?.[1] ?? portPattern.exec(text)?.[2] ?? "") : network
  return canonical(address) !== undefined && judge(address) === "metadata"
}
