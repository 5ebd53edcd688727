/**
 * What clients share that are made again and again in one process.
 */
import * as TokenCache from "@effect-identity/oauth/TokenCache"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import * as Settings from "./Settings.ts"
import { Throttle } from "./Throttle.ts"

const caches = new Map<string, TokenCache.TokenCache["Service"]>()

/** The tokens, of those that have them renewed at the same time. */
export const cacheOf = (settings: Settings.Settings): TokenCache.TokenCache["Service"] => {
  const options = Settings.cacheOptions(settings)
  const key = JSON.stringify(options)
  const cache = caches.get(key) ?? Effect.runSync(Scope.provide(TokenCache.make(options), Scope.makeUnsafe()))
  caches.set(key, cache)
  return cache
}

const throttles = new Map<string, Throttle>()

const maximumThrottles = 1000

/** What an API asked for, of one client id. The one that was not looked at for longest is forgotten first. */
export const throttleOf = ({ baseUrl, clientId, endpoint }: Settings.Settings): Throttle => {
  const key = JSON.stringify([baseUrl.href, endpoint.url.href, clientId])
  const throttle = throttles.get(key) ?? new Throttle()
  throttles.delete(key)
  throttles.set(key, throttle)
  const [oldest] = throttles.keys()
  if (throttles.size > maximumThrottles && oldest !== undefined) throttles.delete(oldest)
  return throttle
}
