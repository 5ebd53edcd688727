/**
 * What an issuer must know of the OAuth app it signs for, checked before anything is sent.
 *
 * @since 0.1.0
 */
import * as JwtAssertion from "@effect-identity/oauth/JwtAssertion"
import type { SecureUrl } from "@effect-identity/oauth/SecureUrl"
import type { Issue, Setting } from "@effect-identity/oauth/Setting"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { ConfigurationError } from "./ConfigurationError.ts"
import * as Input from "./internal/Input.ts"
import { identifier, maximumDurationSeconds } from "./TokenRequest.ts"

/**
 * The checked settings of an app.
 *
 * @stability unstable
 * @category services
 * @since 0.1.0
 */
export class CozeAppConfig extends Context.Service<CozeAppConfig, {
  readonly clientId: string
  /** Imported, and not to be exported again. */
  readonly key: JwtAssertion.SigningKey
  readonly audience: string
  /** Where tokens for the app's own account are asked for. */
  readonly tokenEndpoint: SecureUrl
  readonly accountId: string | undefined
  readonly enterpriseId: string | undefined
  readonly durationSeconds: number
  readonly scope: Input.JsonObject | undefined
  /** Bound of one request for a token, from connecting to the last byte, repetitions included. */
  readonly timeout: Duration.Duration
}>()("@effect-identity/coze-issuer/CozeAppConfig") {}

/**
 * The settings of an app.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The id of the OAuth app. */
  readonly clientId: string
  /** The private key of the app in PEM, PKCS#8 or PKCS#1; line breaks may be escaped. */
  readonly privateKey: string | Redacted.Redacted
  /** The fingerprint of its public key. */
  readonly keyId: string
  /** Host name of the API, without a scheme. @default "api.coze.cn", or "api.coze.com" where the endpoint is there */
  readonly audience?: string | undefined
  /** Where tokens are asked for. @default "/api/permission/oauth2/token" at the host that `audience` names */
  readonly tokenEndpoint?: string | URL | undefined
  /** The account tokens are for, if not the app's own: a user's UID, or the id of an organisation. */
  readonly accountId?: string | undefined
  /** The enterprise tokens are for. Not together with an account. */
  readonly enterpriseId?: string | undefined
  /** How long tokens live, 1 to 86399 seconds. @default 900 */
  readonly durationSeconds?: number | undefined
  /** What of the app's rights tokens have. @default all of them */
  readonly scope?: Readonly<Record<string, unknown>> | undefined
  /** Seconds one request for a token may take, repetitions included, 1 to 25. @default 10 */
  readonly timeoutSeconds?: number | undefined
}

/**
 * Settings as they were found, and what each is called where it was found.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Found {
  readonly values: { readonly [option in keyof Options]?: unknown }
  readonly nameOf: (option: keyof Options) => string
}

const hosts = { cn: "api.coze.cn", com: "api.coze.com" } as const

const isCoze = (host: string): boolean => host === hosts.cn || host === hosts.com

// A Worker that has answered is given 30 seconds for what it has left to do.
const timeouts = { minimum: 1, maximum: 25, standard: 10 } as const

const hostName = (given: Input.Input) =>
  Input.matching(given, /^[a-z\d.-]+(?::\d{1,5})?$/i, "must be a host name without scheme and path")

const endpointAt = (given: Input.Input) =>
  Result.flatMap(
    Input.url(given),
    (url) =>
      url.href.endsWith("/token")
        ? Result.succeed(url)
        : Input.refuse(given, "must be a URL whose path ends in /token")
  )

/**
 * Checks settings wherever they were found, and imports the key. Fails with one `ConfigurationError` that lists every issue.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const fromFound = Effect.fnUntraced(function*(
  { nameOf, values }: Found
): Effect.fn.Return<CozeAppConfig["Service"], ConfigurationError> {
  const issues: Array<Issue> = []
  const given = (option: keyof Options): Input.Input => ({ name: nameOf(option), value: values[option] })
  const accept = <A>(setting: Setting<A>): A | undefined => {
    if (Result.isSuccess(setting)) return setting.success
    issues.push(setting.failure)
    return undefined
  }

  const clientId = accept(Input.text(given("clientId")))
  const pem = accept(Input.secret(given("privateKey")))
  const keyId = accept(Input.text(given("keyId")))
  const toldEndpoint = accept(Input.optional(given("tokenEndpoint"), endpointAt, undefined))
  const home = toldEndpoint?.hostname === hosts.com ? hosts.com : hosts.cn
  const audience = accept(Input.optional(given("audience"), hostName, home))
  const tokenEndpoint = toldEndpoint ?? accept(endpointAt({
    name: nameOf("tokenEndpoint"),
    value: `https://${audience ?? home}/api/permission/oauth2/token`
  }))
  if (toldEndpoint !== undefined && isCoze(toldEndpoint.hostname) && audience !== toldEndpoint.hostname) {
    issues.push({ name: nameOf("audience"), rule: `must be the host of ${nameOf("tokenEndpoint")}` })
  }
  const accountId = accept(Input.optional(given("accountId"), identifier, undefined))
  const enterpriseId = accept(Input.optional(given("enterpriseId"), identifier, undefined))
  if (accountId !== undefined && enterpriseId !== undefined) {
    issues.push({ name: nameOf("enterpriseId"), rule: `must not be given with ${nameOf("accountId")}` })
  }
  const durationSeconds = accept(
    Input.optional(
      given("durationSeconds"),
      (given) => Input.wholeNumber(given, 1, maximumDurationSeconds),
      900
    )
  )
  const scope = accept(Input.optional(given("scope"), Input.jsonObject, undefined))
  const timeoutSeconds = accept(
    Input.optional(
      given("timeoutSeconds"),
      (given) => Input.wholeNumber(given, timeouts.minimum, timeouts.maximum),
      timeouts.standard
    )
  )
  const key = pem === undefined
    ? undefined
    : accept(
      yield* JwtAssertion.importKey({ keyId: keyId ?? "", pem }).pipe(
        Effect.mapError(({ rule }) => ({ name: nameOf("privateKey"), rule })),
        Effect.result
      )
    )

  if (
    issues.length > 0 || clientId === undefined || key === undefined || audience === undefined
    || tokenEndpoint === undefined || durationSeconds === undefined || timeoutSeconds === undefined
  ) return yield* new ConfigurationError({ issues })

  return {
    clientId,
    key,
    audience,
    tokenEndpoint,
    accountId,
    enterpriseId,
    durationSeconds,
    scope,
    timeout: Duration.seconds(timeoutSeconds)
  }
})

/**
 * Checks the settings of an app, and imports its key. Fails with one `ConfigurationError` that lists every issue.
 *
 * @example
 * ```ts
 * import { CozeAppConfig } from "@effect-identity/coze-issuer"
 * import { Effect } from "effect"
 *
 * const checked = CozeAppConfig.make({ clientId: "app", keyId: "fingerprint", privateKey: "", durationSeconds: 0 })
 *
 * const { issues } = await Effect.runPromise(Effect.flip(checked))
 * issues.map(({ name }) => name) // => ["privateKey", "durationSeconds"]
 * ```
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options): Effect.Effect<CozeAppConfig["Service"], ConfigurationError> =>
  fromFound({ values: options, nameOf: (option) => option })

/**
 * The configuration of these options. Fails with `ConfigurationError`, which lists everything that is wrong.
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<CozeAppConfig, ConfigurationError> =>
  Layer.effect(CozeAppConfig, make(options))
