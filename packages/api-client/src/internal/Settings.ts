/**
 * The options of a client, checked. All that is wrong is reported at once.
 */
import type { ClientAuth } from "@effect-identity/oauth/ClientCredentials"
import type { SecureUrl } from "@effect-identity/oauth/SecureUrl"
import * as Setting from "@effect-identity/oauth/Setting"
import type * as TokenCache from "@effect-identity/oauth/TokenCache"
import type { TokenEndpoint } from "@effect-identity/oauth/TokenEndpoint"
import type * as Duration from "effect/Duration"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { Grant, Options } from "../ApiClient.ts"
import { ConfigurationError } from "../ConfigurationError.ts"

export interface Settings {
  readonly baseUrl: SecureUrl
  readonly endpoint: TokenEndpoint
  readonly clientId: string
  readonly clientSecret: Redacted.Redacted
  readonly clientAuth: ClientAuth
  readonly grant: Grant
  readonly timeout: Duration.Duration
  readonly maximumBytes: number
  readonly attempts: number | undefined
  readonly renewAfter: number
  readonly renewBefore: Duration.Duration
}

/** Programs without types pass on what their environment has, which may be nothing. */
const secureUrl = (name: string, given: string | URL | undefined): Setting.Setting<SecureUrl> =>
  Setting.url(name, given instanceof URL ? given.href : given)

const apiUrl = (name: string, given: string | URL): Setting.Setting<SecureUrl> =>
  Result.flatMap(secureUrl(name, given), (url) =>
    new URL(url.href).search === ""
      ? Result.succeed(url)
      : Setting.refuse(name, "must not contain a query"))

/** RFC 6749 §3.3. */
const scope = (name: string, raw: string | undefined): Setting.Setting<string | undefined> =>
  raw === undefined || /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/.test(raw)
    ? Result.succeed(raw)
    : Setting.refuse(name, "must be names in printable ASCII, one blank between them")

const optionalText = (name: string, raw: string | undefined): Setting.Setting<string | undefined> =>
  raw === undefined ? Result.succeed(raw) : Setting.text(name, raw)

const clientAuth = (name: string, raw: string | undefined): Setting.Setting<ClientAuth> =>
  raw === undefined || raw === "client_secret_post"
    ? Result.succeed("client_secret_post")
    : raw === "client_secret_basic"
    ? Result.succeed(raw)
    : Setting.refuse(name, "must be client_secret_post or client_secret_basic")

const count = (name: string, value: number): Setting.Setting<number> =>
  Number.isSafeInteger(value) && value >= 1
    ? Result.succeed(value)
    : Setting.refuse(name, "must be a whole number from 1")

const share = (name: string, value: number): Setting.Setting<number> =>
  value > 0 && value < 1 ? Result.succeed(value) : Setting.refuse(name, "must be between 0 and 1")

/** Collects the issues of all settings. */
const collector = () => {
  const issues: Array<Setting.Issue> = []
  return {
    issues,
    accept: <A>(setting: Setting.Setting<A>): A | undefined => {
      if (Result.isSuccess(setting)) return setting.success
      issues.push(setting.failure)
      return undefined
    }
  }
}

export const grantOf = (given: Grant): Result.Result<Grant, ConfigurationError> => {
  const { accept, issues } = collector()
  const grant = {
    scope: accept(scope("scope", given.scope)),
    audience: accept(optionalText("audience", given.audience))
  }
  return issues.length === 0 ? Result.succeed(grant) : Result.fail(new ConfigurationError({ issues }))
}

export const make = (options: Options): Result.Result<Settings, ConfigurationError> => {
  const { accept, issues } = collector()
  const baseUrl = accept(apiUrl("baseUrl", options.baseUrl))
  const tokenEndpoint = accept(secureUrl("tokenEndpoint", options.tokenEndpoint))
  const clientId = accept(Setting.text("clientId", options.clientId))
  const clientSecret = accept(Setting.secret("clientSecret", Redacted.value(options.clientSecret)))
  const auth = accept(clientAuth("clientAuth", options.clientAuth))
  const grant = grantOf(options)
  if (Result.isFailure(grant)) issues.push(...grant.failure.issues)
  const timeout = accept(Setting.timeout("timeout", options.timeout ?? "30 seconds"))
  const maximumBytes = accept(count("maximumBytes", options.maximumBytes ?? 10 * 1024 * 1024))
  const attempts = options.attempts === undefined ? undefined : accept(count("attempts", options.attempts))
  const renewAfter = accept(share("renewAfter", options.renewAfter ?? 0.75))
  const renewBefore = accept(Setting.duration("renewBefore", options.renewBefore ?? "5 minutes"))

  if (
    issues.length > 0 || baseUrl === undefined || tokenEndpoint === undefined || clientId === undefined
    || clientSecret === undefined || auth === undefined || Result.isFailure(grant) || timeout === undefined
    || maximumBytes === undefined || renewAfter === undefined || renewBefore === undefined
  ) return Result.fail(new ConfigurationError({ issues }))

  return Result.succeed({
    baseUrl,
    endpoint: { url: tokenEndpoint, timeout, strictness: options.strictness },
    clientId,
    clientSecret,
    clientAuth: auth,
    grant: grant.success,
    timeout,
    maximumBytes,
    attempts,
    renewAfter,
    renewBefore
  })
}

/** How a cache keeps the tokens of clients with these settings. Its share is what it draws around. */
export const cacheOptions = (
  { renewAfter, renewBefore }: Pick<Settings, "renewAfter" | "renewBefore">
): TokenCache.Options => ({ refreshShare: renewAfter + 0.05, margin: renewBefore, marginShare: 1 / 12 })
