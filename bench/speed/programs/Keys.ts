// @effect-diagnostics globalDate:off
/**
 * What remembering a token takes, for each of many keys. Keys and tokens are there before: they are not counted.
 */
import { OAuth2Client as BadgatewayClient, OAuth2Fetch } from "@badgateway/oauth2-client"
import { AccessToken, TokenCache } from "@effect-identity/oauth"
import { doesIdentityRequireRefresh, isIdentityExpired, memoizeIdentityProvider } from "@smithy/core"
import { Cache, Effect, Redacted, Scope } from "effect"
import { OAuth2Client as GoogleClient } from "google-auth-library"
import type { Figure } from "../Row.ts"

interface Settings {
  readonly subject: string
  readonly keys: number
}

type Names = ReadonlyArray<{ readonly key: string; readonly token: string }>

const hour = 3_600_000

/** How each remembers all of them. What holds them is the answer. */
const fill: Readonly<Record<string, (names: Names) => Promise<unknown>>> = {
  "by hand": async (names) => {
    const held = new Map<string, { readonly token: string; readonly goodUntil: number }>()
    for (const { key, token } of names) held.set(key, { token, goodUntil: Date.now() + hour })
    return held
  },
  "this": async (names) => {
    const cache = Effect.runSync(Scope.provide(TokenCache.make({ capacity: names.length }), Scope.makeUnsafe()))
    for (const { key, token } of names) {
      const source = AccessToken.make({ value: Redacted.make(token), lifetime: hour })
      await Effect.runPromise(cache.get(key, source))
    }
    return cache
  },
  "Cache of Effect": async (names) => {
    const tokens = new Map(names.map(({ key, token }) => [key, token]))
    const cache = Effect.runSync(
      Cache.make({
        capacity: names.length,
        lookup: (key: string) => Effect.succeed(tokens.get(key)),
        timeToLive: hour
      })
    )
    for (const { key } of names) await Effect.runPromise(Cache.get(cache, key))
    return cache
  },
  "google-auth-library": async (names) =>
    new Map(names.map(({ key, token }) => {
      const client = new GoogleClient({ clientId: key })
      client.setCredentials({ access_token: token, expiry_date: Date.now() + hour })
      return [key, client]
    })),
  "@badgateway/oauth2-client": async (names) => {
    const client = new BadgatewayClient({ server: "https://issuer.example", clientId: "app" })
    const held = new Map<string, OAuth2Fetch>()
    for (const { key, token } of names) {
      const answer = { accessToken: token, refreshToken: null, expiresAt: Date.now() + hour }
      const wrapper = new OAuth2Fetch({ client, getNewToken: () => answer, scheduleRefresh: false })
      await wrapper.getAccessToken()
      held.set(key, wrapper)
    }
    return held
  },
  "@smithy/core": async (names) => {
    const held = new Map<string, unknown>()
    for (const { key, token } of names) {
      const provider = async () => ({ token, expiration: new Date(Date.now() + hour) })
      const memoized = memoizeIdentityProvider(provider, isIdentityExpired, doesIdentityRequireRefresh)
      await memoized?.()
      held.set(key, memoized)
    }
    return held
  }
}

const collect = async (): Promise<number> => {
  for (let nth = 0; nth < 4; nth++) {
    globalThis.gc?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return process.memoryUsage().heapUsed
}

export const run = async (_: unknown, { keys, subject }: Settings): Promise<Figure> => {
  const make = fill[subject]
  if (make === undefined) throw new Error(`nothing remembers as ${subject} does`)
  // What is made once for all keys is made here.
  const few = await make([{ key: "first", token: "first" }])
  const names = Array.from({ length: keys }, (_, nth) => ({ key: `key-${nth}`, token: `token-${nth}` }))
  // The parts of a text are put together when it is looked up.
  for (const { key, token } of names) Number(new Set([key, token]).size)
  const before = await collect()
  const held = await make(names)
  const after = await collect()
  return { bytes: (after - before) / keys, isHeld: Number(held !== few) }
}
