/**
 * The token of a workload: the two steps that lead to it, joined with the cache that sees to it that they are taken once.
 */
import * as AccessToken from "@effect-identity/oauth/AccessToken"
import * as ClientCredentials from "@effect-identity/oauth/ClientCredentials"
import * as Instant from "@effect-identity/oauth/Instant"
import type { OAuthError } from "@effect-identity/oauth/OAuthError"
import * as Quiet from "@effect-identity/oauth/Quiet"
import { type Landed, TokenCache } from "@effect-identity/oauth/TokenCache"
import type { TokenEndpoint } from "@effect-identity/oauth/TokenEndpoint"
import * as TokenExchange from "@effect-identity/oauth/TokenExchange"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type * as Redacted from "effect/Redacted"
import { WorkloadConfig } from "../Config.ts"
import type { HeldToken } from "../Diagnosis.ts"
import * as Lane from "../Lane.ts"
import type { ConfigurationError } from "../WorkloadIdentityError.ts"
import * as Failure from "./Failure.ts"
import * as Identity from "./Identity.ts"

/** The issuer does not know the client by this secret. */
const isUnknownClient = ({ operation, reason }: OAuthError): boolean =>
  operation === "clientCredentials" && reason._tag === "OAuth"
  && (reason.code === "invalid_client" || reason.code === "unauthorized_client")

const isDead = (token: AccessToken.AccessToken): Effect.Effect<boolean> =>
  Effect.map(AccessToken.remaining(token), Duration.isZero)

const toldApart = <A>(effect: Effect.Effect<A, OAuthError | ConfigurationError>) =>
  Effect.mapError(effect, (error) => error._tag === "OAuthError" ? Failure.fromOAuthError(error) : error)

const describe = Effect.fnUntraced(function*({ fetchedFor, token }: Landed): Effect.fn.Return<HeldToken> {
  return {
    ageMs: Instant.elapsed(token.requestedAt, yield* Instant.now),
    remainingMs: Duration.toMillis(yield* AccessToken.remaining(token)),
    fetchedFor,
    generation: token.generation
  }
})

export const make = Effect.gen(function*() {
  const config = yield* WorkloadConfig
  const cache = yield* TokenCache
  const client = Lane.apply(yield* Lane.Lane, yield* HttpClient.HttpClient)
  const identities = Identity.make(config)
  if (config.clientSecret.isFixed) yield* Effect.ignore(identities.current)
  // One step after the other, each within its own bound.
  const patience = Duration.times(config.timeout, 2)

  const endpoint = (url: TokenEndpoint["url"]): TokenEndpoint => ({
    url,
    timeout: config.timeout,
    strictness: config.strictness
  })

  const idTokenOf = (clientSecret: Redacted.Redacted) =>
    ClientCredentials.token({
      endpoint: endpoint(config.idTokenEndpoint),
      clientId: config.clientId,
      clientSecret
    })

  const exchange = (idToken: AccessToken.AccessToken) =>
    TokenExchange.token({
      endpoint: endpoint(config.accessTokenEndpoint),
      clientId: config.clientId,
      subjectToken: idToken.value,
      subjectTokenType: TokenExchange.tokenTypes.idToken
    })

  const twoSteps = (secret: Redacted.Redacted): Effect.Effect<AccessToken.AccessToken, OAuthError> =>
    Effect.gen(function*() {
      const idToken = yield* idTokenOf(secret)
      return yield* Effect.catch(exchange(idToken), (error) =>
        Effect.gen(function*() {
          // The exchange can be repeated for so long that what is exchanged ends meanwhile.
          const isOutdated = error.reason._tag === "OAuth" && error.reason.code === "invalid_grant"
            && (yield* isDead(idToken))
          return isOutdated ? yield* exchange(yield* idTokenOf(secret)) : yield* error
        }))
    }).pipe(Effect.provideService(HttpClient.HttpClient, client))

  type Ask = typeof cache.get

  const askAs = (ask: Ask, { key, secret }: Identity.Identity) => ask(key, twoSteps(secret), patience)

  /** Asks, and when the secret is not accepted, looks once whether there is another one by now. */
  const askFor = (ask: Ask) =>
    Effect.gen(function*() {
      const { identity } = yield* identities.recent
      return yield* Effect.catch(askAs(ask, identity), (error) =>
        Effect.gen(function*() {
          if (config.clientSecret.isFixed || !isUnknownClient(error)) return yield* error
          // A failure that says how long it is remembered has been looked into before.
          const { identity: next } = yield* error.retryAfter === undefined ? identities.latest : identities.recent
          return next.key === identity.key ? yield* error : yield* askAs(ask, next)
        }))
    })

  /** Asks behind everyone's back, with a secret that is looked up first. */
  const askQuietly = Effect.forkDetach(Quiet.run(Effect.ignore(askFor(cache.get))), { startImmediately: true })

  /**
   * A token that is held is handed out without looking up a secret. Where there is none for the secret that has just been
   * found, the one of the secret before is handed out for a while.
   */
  const getRotating = Effect.gen(function*() {
    const reading = yield* identities.current
    const { held, isDue } = yield* cache.peek(reading.identity.key)
    if (held !== undefined) {
      if (!isDue || (yield* identities.isRecent)) return yield* askAs(cache.get, reading.identity)
      yield* askQuietly
      return held.token
    }
    const before = identities.outgoing(reading, yield* Instant.now)
    const outgoing = before === undefined ? undefined : (yield* cache.peek(before.key)).held
    if (outgoing === undefined) return yield* askFor(cache.get)
    yield* askQuietly
    return outgoing.token
  })

  const get = toldApart(
    config.clientSecret.isFixed
      ? Effect.flatMap(identities.current, ({ identity }) => askAs(cache.get, identity))
      : getRotating
  )

  const freshUnsafe = (context: Context.Context<never>): AccessToken.AccessToken | undefined => {
    const identity = identities.settled
    return identity === undefined ? undefined : cache.freshUnsafe(identity.key, context)
  }

  return {
    get,
    freshUnsafe,
    refresh: toldApart(askFor(cache.refresh)),
    /** Whether it is worth asking for another one after this was refused. */
    reject: Effect.fnUntraced(function*(refused: AccessToken.AccessToken) {
      const reading = yield* Effect.option(identities.current)
      if (reading._tag === "None") return false
      const before = identities.outgoing(reading.value, yield* Instant.now)
      if (before !== undefined) yield* cache.reject(before.key, refused)
      return yield* cache.reject(reading.value.identity.key, refused)
    }),
    state: Effect.gen(function*() {
      const reading = yield* Effect.option(identities.current)
      const found = reading._tag === "None" ? undefined : yield* cache.peek(reading.value.identity.key)
      return {
        token: found?.held === undefined ? undefined : yield* describe(found.held),
        cache: {
          isAsking: found?.isFlying ?? false,
          lastAnswer: found?.lastAnswer,
          coolDownMs: found?.coolDown === undefined ? 0 : Math.ceil(Duration.toMillis(found.coolDown.remaining)),
          failure: found?.coolDown === undefined
            ? undefined
            : Failure.detailsOf(Failure.fromOAuthError(found.coolDown.error))
        }
      }
    })
  }
})
