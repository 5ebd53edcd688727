/**
 * The token of a workload: the two steps that lead to it, joined with the cache that sees to it that they are taken once.
 */
import * as AccessToken from "@effect-identity/oauth/AccessToken"
import * as ClientCredentials from "@effect-identity/oauth/ClientCredentials"
import * as Instant from "@effect-identity/oauth/Instant"
import { TokenCache } from "@effect-identity/oauth/TokenCache"
import type { TokenEndpoint } from "@effect-identity/oauth/TokenEndpoint"
import * as TokenExchange from "@effect-identity/oauth/TokenExchange"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import { WorkloadConfig } from "../Config.ts"
import type { HeldToken } from "../Diagnosis.ts"
import * as Lane from "../Lane.ts"
import * as Failure from "./Failure.ts"
import * as Fingerprint from "./Fingerprint.ts"

/** All that makes two workloads different, in a form in which no two differ by a delimiter only. */
const identityKey = Effect.fnUntraced(function*(config: WorkloadConfig["Service"]) {
  return JSON.stringify([
    config.idTokenEndpoint.href,
    config.accessTokenEndpoint.href,
    config.clientId,
    yield* Fingerprint.make(config.clientSecret),
    config.lane ?? null
  ])
})

export const make = Effect.gen(function*() {
  const config = yield* WorkloadConfig
  const cache = yield* TokenCache
  const client = Lane.apply(yield* Lane.Lane, yield* HttpClient.HttpClient)
  const key = yield* identityKey(config)

  const endpoint = (url: TokenEndpoint["url"]): TokenEndpoint => ({
    url,
    timeout: config.timeout,
    strictness: config.strictness
  })

  const twoSteps = Effect.fn("WorkloadIdentity.acquire")(function*() {
    const idToken = yield* ClientCredentials.token({
      endpoint: endpoint(config.idTokenEndpoint),
      clientId: config.clientId,
      clientSecret: config.clientSecret
    })
    return yield* TokenExchange.token({
      endpoint: endpoint(config.accessTokenEndpoint),
      clientId: config.clientId,
      subjectToken: idToken.value,
      subjectTokenType: TokenExchange.tokenTypes.idToken
    })
  }, Effect.provideService(HttpClient.HttpClient, client))

  return {
    get: Effect.mapError(cache.get(key, twoSteps()), Failure.fromOAuthError),
    refresh: Effect.mapError(cache.refresh(key, twoSteps()), Failure.fromOAuthError),
    /** Whether it is worth asking for another one after this was refused. */
    reject: (refused: AccessToken.AccessToken) => cache.reject(key, refused),
    held: Effect.gen(function*(): Effect.fn.Return<HeldToken | undefined> {
      const landed = yield* cache.peek(key)
      if (Option.isNone(landed)) return undefined
      const { fetchedFor, token } = landed.value
      return {
        ageMs: Instant.elapsed(token.requestedAt, yield* Instant.now),
        remainingMs: Duration.toMillis(yield* AccessToken.remaining(token)),
        fetchedFor,
        generation: token.generation
      }
    })
  }
})
