/**
 * An issuer's settings in an environment: variables of a process, or bindings of a Worker. Every name stands here.
 *
 * | variable | what it is |
 * | --- | --- |
 * | `CLIENT_ID` | id of the OAuth app |
 * | `PRIVATE_KEY` | its private key in PEM |
 * | `KID` | fingerprint of the public key |
 * | `AUDIENCE` | host of the API, `api.coze.cn` |
 * | `TOKEN_ENDPOINT` | where tokens are asked for |
 * | `TOKEN_DURATION` | life of tokens in seconds, 900 |
 * | `TOKEN_SCOPE` | rights of tokens, as JSON |
 * | `TOKEN_TIMEOUT` | seconds a request for a token may take, 10 |
 * | `ACCOUNT_ID`, `ENTERPRISE_ID` | whose tokens, if not the app's own |
 * | `CALLER_API_KEYS` | who may call: `name:sha256` or `name:sha256:sessions`, commas between |
 * | `CALLER_JWT_ISSUER`, `CALLER_JWT_AUDIENCE` | whose JWTs are believed |
 * | `CALLER_JWT_JWKS_URL`, `CALLER_JWT_PUBLIC_KEY`, `CALLER_JWT_SECRET` | how, one of them |
 * | `CALLER_AUTH` | `required`, or `open-on-loopback` to let everyone in on one's own machine |
 *
 * @since 0.1.0
 */
import type { Issue } from "@effect-identity/oauth/Setting"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as ApiKeys from "./ApiKeys.ts"
import type * as CallerJwt from "./CallerJwt.ts"
import * as Callers from "./Callers.ts"
import { ConfigurationError } from "./ConfigurationError.ts"
import * as CozeAppConfig from "./CozeAppConfig.ts"
import * as Input from "./internal/Input.ts"

/**
 * Variables by name. Those that are not text are looked at as well: Workers have numbers and JSON among theirs.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Environment = Readonly<Record<string, unknown>>

/**
 * What the settings of an app are called.
 *
 * @stability unstable
 * @category environment
 * @since 0.1.0
 */
export const appNames = {
  clientId: "CLIENT_ID",
  privateKey: "PRIVATE_KEY",
  keyId: "KID",
  audience: "AUDIENCE",
  tokenEndpoint: "TOKEN_ENDPOINT",
  durationSeconds: "TOKEN_DURATION",
  scope: "TOKEN_SCOPE",
  timeoutSeconds: "TOKEN_TIMEOUT",
  accountId: "ACCOUNT_ID",
  enterpriseId: "ENTERPRISE_ID"
} as const satisfies { readonly [option in keyof CozeAppConfig.Options]-?: string }

/**
 * What the settings of callers with JWTs are called.
 *
 * @stability unstable
 * @category environment
 * @since 0.1.0
 */
export const jwtNames = {
  issuer: "CALLER_JWT_ISSUER",
  audience: "CALLER_JWT_AUDIENCE",
  jwksUrl: "CALLER_JWT_JWKS_URL",
  publicKey: "CALLER_JWT_PUBLIC_KEY",
  secret: "CALLER_JWT_SECRET"
} as const satisfies { readonly [option in keyof CallerJwt.Options]-?: string }

/**
 * The keys that callers may show, by caller.
 *
 * @stability unstable
 * @category environment
 * @since 0.1.0
 */
export const CALLER_API_KEYS = "CALLER_API_KEYS"

/**
 * How callers are known.
 *
 * @stability unstable
 * @category environment
 * @since 0.1.0
 */
export const CALLER_AUTH = "CALLER_AUTH"

const own = (env: Environment, name: string): unknown => Object.hasOwn(env, name) ? env[name] : undefined

const pick = (env: Environment, names: Readonly<Record<string, string>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(names).map(([option, name]) => [option, own(env, name)]))

const openings = { required: false, "open-on-loopback": true } as const

const isOpening = (value: unknown): value is keyof typeof openings =>
  typeof value === "string" && Object.hasOwn(openings, value)

/**
 * Whether the issuer is told to be open to everyone on this machine.
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const isOpen = (env: Environment): boolean => own(env, CALLER_AUTH) === "open-on-loopback"

const callersOf = (env: Environment): Callers.Found => {
  const issues: Array<Issue> = []
  const keys = { name: CALLER_API_KEYS, value: own(env, CALLER_API_KEYS) }
  const apiKeys = Input.optional(keys, ApiKeys.parse, [])
  if (Result.isFailure(apiKeys)) issues.push(apiKeys.failure)
  const opening = { name: CALLER_AUTH, value: own(env, CALLER_AUTH) }
  if (!Input.isAbsent(opening) && !isOpening(opening.value)) {
    issues.push({ name: CALLER_AUTH, rule: `must be one of ${Object.keys(openings).join(", ")}` })
  }
  const jwt = pick(env, jwtNames)
  const hasJwt = Object.entries(jwt).some(([name, value]) => !Input.isAbsent({ name, value }))
  if (Input.isAbsent(keys) && !hasJwt && !isOpen(env)) {
    issues.push({ name: CALLER_API_KEYS, rule: `is missing, and so is ${jwtNames.issuer}: nobody could call` })
  }
  return {
    apiKeys: Result.isSuccess(apiKeys) ? apiKeys.success : [],
    jwt: hasJwt ? jwt : undefined,
    openOnLoopback: isOpen(env),
    issues,
    nameOf: (option) => jwtNames[option]
  }
}

/**
 * Reads and checks all of it. Fails with one `ConfigurationError` that lists every issue, by name and never by value.
 *
 * @example
 * ```ts
 * import { Environment } from "@effect-identity/coze-issuer"
 * import { Effect } from "effect"
 *
 * const error = await Effect.runPromise(Effect.flip(Environment.read({ CLIENT_ID: "app", TOKEN_DURATION: "86400" })))
 *
 * error.issues.map(({ name }) => name) // => ["PRIVATE_KEY", "KID", "TOKEN_DURATION", "CALLER_API_KEYS"]
 * ```
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const read = Effect.fnUntraced(function*(env: Environment): Effect.fn.Return<
  { readonly app: CozeAppConfig.CozeAppConfig["Service"]; readonly callers: Callers.Callers["Service"] },
  ConfigurationError
> {
  const app = yield* Effect.result(
    CozeAppConfig.fromFound({ values: pick(env, appNames), nameOf: (option) => appNames[option] })
  )
  const callers = yield* Effect.result(Callers.fromFound(callersOf(env)))
  if (Result.isSuccess(app) && Result.isSuccess(callers)) return { app: app.success, callers: callers.success }
  const results: ReadonlyArray<Result.Result<unknown, ConfigurationError>> = [app, callers]
  return yield* new ConfigurationError({
    issues: results.flatMap((each) => Result.isFailure(each) ? each.failure.issues : [])
  })
})
