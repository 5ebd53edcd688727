/**
 * Answers `GET /api/token` at once where all that takes is in memory: the key, its grant and the token. Everything else, every
 * refusal included, goes the full way, which gives the same answer byte by byte.
 */
import * as Instant from "@effect-identity/oauth/Instant"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { IncomingMessage, ServerResponse } from "node:http"
import { longestLife, realmId, secretKey } from "../api/Fields.ts"
import { type HandedOut, Tokens } from "../tokens/Tokens.ts"
import { maySee } from "./Authorization.ts"
import { Callers } from "./Callers.ts"
import * as Digest from "./Digest.ts"
import * as Guard from "./Guard.ts"
import { Reads } from "./Reads.ts"

interface Wanted {
  readonly realm: string
  readonly key: string
  readonly minTtl: number | undefined
}

const prefix = "/api/token?"

const bearer = "Bearer "

/** What an address asks for, if it is written plainly. */
export const parse = (url: string): Wanted | undefined => {
  if (!url.startsWith(prefix)) return undefined
  const given = new Map<string, string>()
  for (const part of url.slice(prefix.length).split("&")) {
    const [, name, value] = /^(realm|key|min_ttl)=([\w.-]{1,200})$/.exec(part) ?? []
    if (name === undefined || value === undefined || given.has(name)) return undefined
    given.set(name, value)
  }
  const realm = given.get("realm")
  const key = given.get("key")
  const minTtl = given.get("min_ttl")
  if (realm === undefined || !realmId.test(realm) || key === undefined || !secretKey.test(key)) return undefined
  if (minTtl === undefined) return { realm, key, minTtl: undefined }
  return /^\d{1,11}$/.test(minTtl) && Number(minTtl) <= longestLife
    ? { realm, key, minTtl: Number(minTtl) }
    : undefined
}

/** As many addresses are remembered as there may be of tokens that are read all the time. */
const capacity = 10_000

const guardHeaders = Object.entries(Guard.headers).flat()

/** Answers a request, or says that it has not. */
export type FastLane = (request: IncomingMessage, response: ServerResponse) => boolean

export const make: Effect.Effect<FastLane, never, Callers | Reads | Tokens> = Effect.gen(function*() {
  const callers = yield* Callers
  const reads = yield* Reads
  const tokens = yield* Tokens
  const clock = yield* Clock.Clock
  const addresses = new Map<string, Wanted>()
  const beginnings = new WeakMap<Redacted.Redacted, string>()

  const wantedBy = (url: string): Wanted | undefined => {
    const known = addresses.get(url)
    if (known !== undefined) return known
    const wanted = parse(url)
    if (wanted === undefined) return undefined
    if (addresses.size >= capacity) addresses.clear()
    addresses.set(url, wanted)
    return wanted
  }

  const beginningOf = (token: Redacted.Redacted): string => {
    const known = beginnings.get(token)
    if (known !== undefined) return known
    const beginning = `{"token":${JSON.stringify(Redacted.value(token))},"expires_in":`
    beginnings.set(token, beginning)
    return beginning
  }

  const bodyOf = ({ expiresIn, persisted, source, value }: HandedOut): string =>
    `${beginningOf(value)}${expiresIn},"source":"${source}"${persisted ? "" : ",\"persisted\":false"}}`

  return (request, response) => {
    const { headers, method, url } = request
    if (method !== "GET" || url === undefined) return false
    const { authorization } = headers
    if (authorization === undefined || !authorization.startsWith(bearer)) return false
    if (headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined) return false
    const wanted = wantedBy(url)
    if (wanted === undefined) return false
    const digest = Digest.ofUnsafe(authorization.slice(bearer.length))
    if (digest === undefined) return false
    const now = Instant.nowUnsafe(clock)
    const caller = callers.peekUnsafe(digest, now.wall)
    if (caller === undefined || !maySee(caller, wanted.realm)) return false
    const token = tokens.peekUnsafe(wanted.realm, wanted.key, wanted.minTtl, now)
    if (token === undefined) return false

    const body = bodyOf(token)
    const length = Buffer.byteLength(body)
    response.writeHead(200, [
      "content-type",
      "application/json",
      "content-length",
      String(length),
      ...guardHeaders
    ])
    // The same bytes, written faster.
    response.end(body, length === body.length ? "latin1" : "utf8")
    reads.countUnsafe(caller.id, "token.read", wanted.realm, wanted.key, "ok")
    return true
  }
})
