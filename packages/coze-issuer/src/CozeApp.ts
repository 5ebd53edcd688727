/**
 * An OAuth app of Coze as a source of tokens: it signs a JWT and trades it for an access token (RFC 7523, in the dialect of
 * Coze: the assertion as a bearer, the rest as JSON).
 *
 * There is no refresh token; a token is replaced by signing again. Every attempt has an assertion of its own, because Coze
 * takes each but once. `expires_in` of the answer is the Unix time of the token's end and read as that.
 *
 * @since 0.1.0
 */
import type { AccessToken } from "@effect-identity/oauth/AccessToken"
import * as JwtAssertion from "@effect-identity/oauth/JwtAssertion"
import { grantType } from "@effect-identity/oauth/JwtBearer"
import type { OAuthError } from "@effect-identity/oauth/OAuthError"
import { SecureUrl } from "@effect-identity/oauth/SecureUrl"
import { TokenCache } from "@effect-identity/oauth/TokenCache"
import * as TokenEndpoint from "@effect-identity/oauth/TokenEndpoint"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import { CozeAppConfig } from "./CozeAppConfig.ts"
import * as Hold from "./internal/Hold.ts"
import * as TokenRequest from "./TokenRequest.ts"

/**
 * Where a token comes from, and what it is known by: what `TokenCache.get` and `BearerAuth.fromCache` take.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Source {
  /** Everything that makes two tokens different: endpoint, app, key, account, session, scope, duration. No secret. */
  readonly key: string
  /** Asks for a token every time it runs. Fails with `OAuthError` of operation `jwtBearer`. */
  readonly token: Effect.Effect<AccessToken, OAuthError>
}

/**
 * The tokens of one Coze OAuth app.
 *
 * @stability unstable
 * @category services
 * @since 0.1.0
 */
export class CozeApp extends Context.Service<CozeApp, {
  /** The source of the tokens that a request describes. Fails with `InvalidTokenRequest`, before anything is signed. */
  readonly source: (
    request?: TokenRequest.TokenRequest
  ) => Effect.Effect<Source, TokenRequest.InvalidTokenRequest>
  /**
   * The token that a request describes: the remembered one while it is valid, otherwise a new one, asked for once however
   * many callers wait.
   */
  readonly token: (
    request?: TokenRequest.TokenRequest
  ) => Effect.Effect<AccessToken, OAuthError | TokenRequest.InvalidTokenRequest>
}>()("@effect-identity/coze-issuer/CozeApp") {}

/** The same value in one spelling, whatever the order of its keys. */
const canonical = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(canonical)
    : Predicate.isObject(value)
    ? Object.fromEntries(
      Object.entries(value).toSorted(([a], [b]) => a < b ? -1 : 1).map(([key, each]) => [key, canonical(each)])
    )
    : value

/** Waiting is given up after the flight should have been over: whoever flies it was stopped by the runtime then. */
const grace = Duration.seconds(2)

const variantOf = (
  { accountId, enterpriseId }: Pick<TokenRequest.TokenRequest, "accountId" | "enterpriseId">
): string =>
  accountId !== undefined ? `/account/${accountId}` : enterpriseId !== undefined ? `/enterprise_id/${enterpriseId}` : ""

/**
 * Makes the tokens of the app that is configured: it signs assertions (RFC 7523) and lets `TokenCache` remember.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.gen(function*() {
  const config = yield* CozeAppConfig
  const client = yield* HttpClient.HttpClient
  const cache = yield* TokenCache
  const patience = Duration.sum(config.timeout, grace)

  const endpointOf = (variant: string): TokenEndpoint.TokenEndpoint => {
    const { href, hostname, port } = config.tokenEndpoint
    return {
      url: new SecureUrl({ href: href.replace(/\/token$/, `${variant}/token`), hostname, port }),
      timeout: config.timeout,
      // Coze documents no token_type.
      strictness: "lenient",
      expiresIn: "unixTime"
    }
  }

  const sourceOf = (request: TokenRequest.TokenRequest): Source => {
    const { session, sessionContext } = request
    const isForOther = request.accountId !== undefined || request.enterpriseId !== undefined
    const endpoint = endpointOf(variantOf(isForOther ? request : config))
    const scope = request.scope ?? config.scope
    const durationSeconds = request.durationSeconds ?? config.durationSeconds

    const assertion = JwtAssertion.sign(config.key, {
      issuer: config.clientId,
      audience: config.audience,
      others: {
        ...(session !== undefined && { session_name: session }),
        ...(sessionContext !== undefined && { session_context: sessionContext })
      }
    })
    const attempt = Effect.map(assertion, (assertion): TokenEndpoint.Attempt => ({
      request: HttpClientRequest.post(endpoint.url.href).pipe(
        HttpClientRequest.bearerToken(Redacted.value(assertion)),
        HttpClientRequest.bodyJsonUnsafe({
          grant_type: grantType,
          duration_seconds: durationSeconds,
          ...(scope !== undefined && { scope })
        })
      ),
      secrets: [assertion]
    }))

    return {
      key: JSON.stringify([
        endpoint.url.href,
        config.audience,
        config.clientId,
        config.key.keyId,
        session ?? null,
        canonical(sessionContext) ?? null,
        canonical(scope) ?? null,
        durationSeconds
      ]),
      token: TokenEndpoint.ask(endpoint, { operation: "jwtBearer", attempt }).pipe(
        Effect.provideService(HttpClient.HttpClient, client),
        Hold.during
      )
    }
  }

  const source = (request: TokenRequest.TokenRequest = {}) =>
    Effect.map(Effect.fromResult(TokenRequest.check(request)), sourceOf)

  return CozeApp.of({
    source,
    token: Effect.fn("CozeApp.token")(function*(request = {}) {
      const { key, token } = yield* source(request)
      return yield* cache.get(key, token, patience)
    })
  })
})

/**
 * The app, with its settings, the transport and the cache left open. The transport must not follow redirects.
 *
 * @example
 * ```ts
 * import { CozeApp, CozeAppConfig } from "@effect-identity/coze-issuer"
 * import { TokenCache } from "@effect-identity/oauth"
 * import { CozeOAuth } from "@effect-identity/testing"
 * import { Effect, Layer, Redacted } from "effect"
 * import { FetchHttpClient } from "effect/http"
 *
 * const program = Effect.gen(function*() {
 *   const { env, privateKey } = yield* CozeOAuth.CozeOAuth
 *   const layer = CozeApp.layer.pipe(
 *     Layer.provide(CozeAppConfig.layer({
 *       clientId: "loopback-app",
 *       keyId: "loopback-key-fingerprint",
 *       privateKey,
 *       tokenEndpoint: env["TOKEN_ENDPOINT"]
 *     })),
 *     Layer.provide([FetchHttpClient.layer, TokenCache.layerLocal()])
 *   )
 *   const token = yield* Effect.provide(CozeApp.CozeApp.use((app) => app.token({ session: "user123" })), layer)
 *   return Redacted.value(token.value).slice(0, 4)
 * })
 *
 * await Effect.runPromise(Effect.provide(program, CozeOAuth.layer())) // => "czs_"
 * ```
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<CozeApp, never, CozeAppConfig | HttpClient.HttpClient | TokenCache> = Layer.effect(
  CozeApp,
  make
)
