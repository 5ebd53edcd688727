/**
 * What a workload must know to prove who it is, read from the environment and checked before anything is sent.
 *
 * Every name of the environment stands in `EnvKeys`. All that is wrong is reported at once.
 *
 * @since 0.1.0
 */
import type { SecureUrl } from "@effect-identity/oauth/SecureUrl"
import * as Setting from "@effect-identity/oauth/Setting"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as ClientSecret from "./ClientSecret.ts"
import * as EnvKeys from "./EnvKeys.ts"
import * as LaneSetting from "./internal/LaneSetting.ts"
import * as Variables from "./internal/Variable.ts"
import { ConfigurationError, type ConfigurationIssue } from "./WorkloadIdentityError.ts"

/**
 * The checked settings of a workload.
 *
 * @stability unstable
 * @category services
 * @since 0.1.0
 */
export class WorkloadConfig extends Context.Service<WorkloadConfig, {
  readonly clientId: string
  readonly clientSecret: ClientSecret.ClientSecret
  /** How long a token that was asked for with a secret is handed out after that secret was replaced. */
  readonly secretGrace: Duration.Duration
  /** Where step 1 asks for the id token. */
  readonly idTokenEndpoint: SecureUrl
  /** Where step 2 trades it for the access token. */
  readonly accessTokenEndpoint: SecureUrl
  /** Where the outbound calls go. They cannot be made when it is absent. */
  readonly outboundEndpoint: SecureUrl | undefined
  /** Absent when the workload has no lane. */
  readonly lane: string | undefined
  /** Bound of one step, from connecting to the last byte, repetitions included. */
  readonly timeout: Duration.Duration
  /** Bound of one connection, TLS included. */
  readonly connectTimeout: Duration.Duration
  readonly strictness: "strict" | "lenient"
  /** How long project variables are remembered by those who ask for remembered ones. */
  readonly projectEnvVarsLifetime: Duration.Duration
}>()("@effect-identity/workload-identity/Config/WorkloadConfig") {}

/**
 * What the environment does not say.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Where the secret comes from, if not from the environment. */
  readonly clientSecret?: ClientSecret.ClientSecret | undefined
  /** Reads the file that `COZE_WORKLOAD_IDENTITY_CLIENT_SECRET_FILE` names. On Node this is `ClientSecretFile.read`. */
  readonly readSecretFile?: ((path: string) => Effect.Effect<Redacted.Redacted, ConfigurationError>) | undefined
  /** How long a token that was asked for with a secret is handed out after that was replaced. @default 1 minute */
  readonly secretGrace?: Duration.Input | undefined
  /** Bound of one step, from connecting to the last byte, repetitions included. @default 30 seconds */
  readonly timeout?: Duration.Input | undefined
  /** Bound of one connection, TLS included. @default 5 seconds */
  readonly connectTimeout?: Duration.Input | undefined
  /**
   * `"lenient"` takes token answers without a JSON content type, `token_type` or `issued_token_type`.
   * @default "strict"
   */
  readonly strictness?: "strict" | "lenient" | undefined
  /** How long project variables are remembered by those who ask for remembered ones. @default 1 minute */
  readonly projectEnvVarsLifetime?: Duration.Input | undefined
}

type Variable =
  | typeof EnvKeys.COZE_WORKLOAD_IDENTITY_CLIENT_ID
  | typeof EnvKeys.COZE_WORKLOAD_IDENTITY_CLIENT_SECRET
  | typeof EnvKeys.COZE_WORKLOAD_IDENTITY_CLIENT_SECRET_FILE
  | typeof EnvKeys.COZE_WORKLOAD_IDENTITY_TOKEN_ENDPOINT
  | typeof EnvKeys.COZE_WORKLOAD_ACCESS_TOKEN_ENDPOINT
  | typeof EnvKeys.COZE_OUTBOUND_AUTH_ENDPOINT
  | typeof EnvKeys.COZE_SERVER_ENV

const secretFrom = (
  file: string,
  read: Options["readSecretFile"]
): Result.Result<ClientSecret.ClientSecret, ConfigurationIssue> => {
  const name = EnvKeys.COZE_WORKLOAD_IDENTITY_CLIENT_SECRET_FILE
  return read === undefined
    ? Result.fail({ name, rule: "cannot be read here: no readSecretFile was given" })
    : Result.map(Setting.text(name, file), (path) => ClientSecret.rotating(read(path)))
}

const read = (variable: Variable): Effect.Effect<string | undefined, ConfigurationError> =>
  // The provider's own error may quote what it read.
  Effect.mapError(
    Variables.read(variable),
    () => new ConfigurationError([{ name: variable, rule: "could not be read" }])
  )

/**
 * Reads and checks the settings, through whatever `ConfigProvider` is installed: the process environment by default.
 *
 * Required variables that are absent, empty or blank are missing. One line break at the end of a value is dropped. A
 * lane that is absent, blank or `NONE` is no lane. Fails with one `ConfigurationError` that lists every issue in the
 * order of the documentation, by name and never by value.
 *
 * @example
 * ```ts
 * import { Config } from "@effect-identity/workload-identity"
 * import { ConfigProvider, Effect } from "effect"
 *
 * const error = Effect.runSync(
 *   Config.make().pipe(
 *     Effect.flip,
 *     Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown({ COZE_SERVER_ENV: "ppe_x" }))
 *   )
 * )
 *
 * error.issues.length // => 4
 * ```
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  options: Options = {}
): Effect.fn.Return<WorkloadConfig["Service"], ConfigurationError> {
  const issues: Array<ConfigurationIssue> = []
  const accept = <A>(setting: Result.Result<A, ConfigurationIssue>): A | undefined => {
    if (Result.isSuccess(setting)) return setting.success
    issues.push(setting.failure)
    return undefined
  }
  const variable = <A>(
    name: Variable,
    check: (name: string, raw: string | undefined) => Result.Result<A, ConfigurationIssue>
  ) => Effect.map(read(name), (raw) => accept(check(name, raw)))

  const clientId = yield* variable(EnvKeys.COZE_WORKLOAD_IDENTITY_CLIENT_ID, Setting.text)
  const secretFile = yield* read(EnvKeys.COZE_WORKLOAD_IDENTITY_CLIENT_SECRET_FILE)
  const clientSecret = options.clientSecret ?? (Setting.isBlank(secretFile)
    ? yield* variable(
      EnvKeys.COZE_WORKLOAD_IDENTITY_CLIENT_SECRET,
      (name, raw) => Result.map(Setting.secret(name, raw), ClientSecret.fixed)
    )
    : accept(secretFrom(secretFile, options.readSecretFile)))
  const idTokenEndpoint = yield* variable(EnvKeys.COZE_WORKLOAD_IDENTITY_TOKEN_ENDPOINT, Setting.url)
  const accessTokenEndpoint = yield* variable(EnvKeys.COZE_WORKLOAD_ACCESS_TOKEN_ENDPOINT, Setting.url)
  const outboundEndpoint = yield* variable(EnvKeys.COZE_OUTBOUND_AUTH_ENDPOINT, Setting.optionalUrl)
  const lane = yield* variable(EnvKeys.COZE_SERVER_ENV, LaneSetting.lane)
  const timeout = accept(Setting.timeout("timeout", options.timeout ?? "30 seconds"))
  const connectTimeout = accept(Setting.timeout("connectTimeout", options.connectTimeout ?? "5 seconds"))
  const projectEnvVarsLifetime = accept(
    Setting.timeout("projectEnvVarsLifetime", options.projectEnvVarsLifetime ?? "1 minute")
  )
  const secretGrace = accept(Setting.duration("secretGrace", options.secretGrace ?? "1 minute"))

  if (
    issues.length > 0 || clientId === undefined || clientSecret === undefined || idTokenEndpoint === undefined
    || accessTokenEndpoint === undefined || timeout === undefined || connectTimeout === undefined
    || projectEnvVarsLifetime === undefined || secretGrace === undefined
  ) return yield* Effect.fail(new ConfigurationError(issues))

  return {
    clientId,
    clientSecret,
    secretGrace,
    idTokenEndpoint,
    accessTokenEndpoint,
    outboundEndpoint,
    lane,
    timeout,
    connectTimeout,
    strictness: options.strictness ?? "strict",
    projectEnvVarsLifetime
  }
})

/**
 * The settings of the environment, and `options` for the rest.
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: Options): Layer.Layer<WorkloadConfig, ConfigurationError> =>
  Layer.effect(WorkloadConfig, make(options))
