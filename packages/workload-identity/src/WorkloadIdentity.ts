/**
 * The identity of a Coze workload: what programs yield to get a token.
 *
 * Two steps lead to it, an id token for the client's credentials (RFC 6749 §4.4) and an access token in exchange for
 * that (RFC 8693). This module joins them and lets `TokenCache` see to it that they are taken once.
 *
 * @since 0.1.0
 */
import * as AccessToken from "@effect-identity/oauth/AccessToken"
import * as ClientCredentials from "@effect-identity/oauth/ClientCredentials"
import { TokenCache } from "@effect-identity/oauth/TokenCache"
import type { TokenEndpoint } from "@effect-identity/oauth/TokenEndpoint"
import * as TokenExchange from "@effect-identity/oauth/TokenExchange"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { WorkloadConfig } from "./Config.ts"
import * as Failure from "./internal/Failure.ts"
import * as Fingerprint from "./internal/Fingerprint.ts"
import * as Lane from "./Lane.ts"
import type { TokenExchangeError, TokenRetrievalError } from "./WorkloadIdentityError.ts"

/**
 * @stability unstable
 * @category services
 * @since 0.1.0
 */
export class WorkloadIdentity extends Context.Service<WorkloadIdentity, {
  /**
   * The access token of this workload: the remembered one while it is fresh, otherwise a new one, asked for once
   * however many callers wait. Fails with `TokenRetrievalError` when there is no id token, and with
   * `TokenExchangeError` when it cannot be traded.
   */
  readonly accessToken: Effect.Effect<AccessToken.AccessToken, TokenRetrievalError | TokenExchangeError>
}>()("@effect-identity/workload-identity/WorkloadIdentity") {}

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

/**
 * Joins the two steps and the cache.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
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

  return WorkloadIdentity.of({
    accessToken: Effect.mapError(cache.get(key, twoSteps()), Failure.fromOAuthError)
  })
})

/**
 * The identity, with everything it is made from left open.
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<
  WorkloadIdentity,
  never,
  WorkloadConfig | HttpClient.HttpClient | Lane.Lane | TokenCache
> = Layer.effect(WorkloadIdentity, make)

/**
 * What {@link layerTest} answers with.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface TestAnswers {
  /** The token, or the failure to give instead. */
  readonly accessToken: string | TokenRetrievalError | TokenExchangeError
}

/**
 * An identity that answers from a record, offline.
 *
 * @example
 * ```ts
 * import { WorkloadIdentity } from "@effect-identity/workload-identity"
 * import { Effect, Redacted } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const identity = yield* WorkloadIdentity.WorkloadIdentity
 *   return Redacted.value((yield* identity.accessToken).value)
 * })
 *
 * Effect.runSync(Effect.provide(program, WorkloadIdentity.layerTest({ accessToken: "token" }))) // => "token"
 * ```
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layerTest = ({ accessToken }: TestAnswers): Layer.Layer<WorkloadIdentity> =>
  Layer.succeed(WorkloadIdentity, {
    accessToken: typeof accessToken === "string"
      ? AccessToken.make({ value: Redacted.make(accessToken), lifetime: "1 hour" })
      : Effect.fail(accessToken)
  })
