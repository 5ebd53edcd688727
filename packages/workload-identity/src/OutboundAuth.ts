/**
 * What a workload's token opens: credentials of integrations, and the variables of the project.
 *
 * A token that is refused with 401 is dropped, replaced once, and the call repeated once.
 *
 * @since 0.1.0
 */
import type { AccessToken } from "@effect-identity/oauth/AccessToken"
import * as BearerAuth from "@effect-identity/oauth/BearerAuth"
import { Timeout } from "@effect-identity/oauth/OAuthError"
import * as Retry from "@effect-identity/oauth/Retry"
import * as SecureRequest from "@effect-identity/oauth/SecureRequest"
import type { TokenCache } from "@effect-identity/oauth/TokenCache"
import * as Cache from "effect/Cache"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import { WorkloadConfig } from "./Config.ts"
import * as EnvKeys from "./EnvKeys.ts"
import * as CredentialReader from "./internal/CredentialReader.ts"
import * as Failure from "./internal/Failure.ts"
import * as OutboundAnswer from "./internal/OutboundAnswer.ts"
import type { OutboundCall } from "./internal/OutboundCall.ts"
import * as WorkloadToken from "./internal/WorkloadToken.ts"
import * as Lane from "./Lane.ts"
import type { ProjectEnvVars } from "./ProjectEnvVars.ts"
import {
  ConfigurationError,
  type OutboundAuthError,
  type TokenExchangeError,
  type TokenRetrievalError
} from "./WorkloadIdentityError.ts"

/**
 * What the calls fail with: `ConfigurationError` when there is nowhere to ask, the errors of the two token steps when
 * there is no token, `OutboundAuthError` for the call itself.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export type OutboundFailure = ConfigurationError | TokenRetrievalError | TokenExchangeError | OutboundAuthError

/**
 * What the token of the workload opens: credentials of integrations, and variables of the project.
 *
 * @stability unstable
 * @category services
 * @since 0.1.0
 */
export class OutboundAuth extends Context.Service<OutboundAuth, {
  /** The credential of an integration. Asked for anew on every run. */
  readonly integrationCredential: (name: string) => Effect.Effect<Redacted.Redacted, OutboundFailure>
  /** The variables of the project. Asked for anew on every run. */
  readonly projectEnvVars: Effect.Effect<ProjectEnvVars<Redacted.Redacted>, OutboundFailure>
  /** The variables of the project, remembered for `projectEnvVarsLifetime`, asked for once for all who wait. */
  readonly rememberedProjectEnvVars: Effect.Effect<ProjectEnvVars<Redacted.Redacted>, OutboundFailure>
}>()("@effect-identity/workload-identity/OutboundAuth") {}

const credentialCall = { step: "integrationCredential", what: "Integration credential" } as const
const variablesCall = { step: "projectEnvVars", what: "Project environment variables" } as const

// Ten thousand variables are not out of this world.
const maximumBytes = 4 * 1024 * 1024

const maximumNameLength = 1024

const outOfTime = new SecureRequest.RequestFailed({ reason: new Timeout({ detail: "total" }), requestId: undefined })

/** The address of a call: exactly one slash between endpoint and path. */
const addressOf = (endpoint: string, path: string): string => {
  const url = new URL(endpoint)
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/${path}`
  return url.href
}

const checkName = (name: string): Effect.Effect<void, ConfigurationError> =>
  name.length >= 1 && name.length <= maximumNameLength
    ? Effect.void
    : Effect.fail(
      new ConfigurationError([
        { name: "integration name", rule: `must have from 1 to ${maximumNameLength} characters` }
      ])
    )

/**
 * Makes the calls for the workload of the configuration.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.gen(function*() {
  const config = yield* WorkloadConfig
  const token = yield* WorkloadToken.make
  const client = Lane.apply(yield* Lane.Lane, yield* HttpClient.HttpClient)

  const send = Effect.fnUntraced(function*(
    call: OutboundCall,
    request: HttpClientRequest.HttpClientRequest,
    accessToken: Redacted.Redacted
  ) {
    return yield* SecureRequest.send(HttpClientRequest.bearerToken(request, Redacted.value(accessToken)), {
      secrets: [accessToken],
      timeout: config.timeout,
      maximumBytes
    }).pipe(
      Effect.mapError((failure) => Failure.fromRequestFailed(call, failure)),
      Effect.provideService(HttpClient.HttpClient, client)
    )
  })

  const ask = Effect.fn("OutboundAuth.ask")(function*<A>(
    call: OutboundCall,
    toRequest: (endpoint: string) => HttpClientRequest.HttpClientRequest,
    read: (call: OutboundCall, answer: SecureRequest.Answer) => Result.Result<A, OutboundAuthError>
  ) {
    yield* Effect.annotateCurrentSpan("workload_identity.step", call.step)
    if (config.outboundEndpoint === undefined) {
      return yield* Effect.fail(
        new ConfigurationError([{ name: EnvKeys.COZE_OUTBOUND_AUTH_ENDPOINT, rule: ConfigurationError.missing }])
      )
    }
    const request = HttpClientRequest.setHeader(
      toRequest(config.outboundEndpoint.href),
      "content-type",
      "application/json"
    )
    // Both calls only read, so that sending one again does no harm.
    const attempt = ({ value }: AccessToken) =>
      Retry.within(
        Effect.flatMap(send(call, request, value), (answer) => {
          const outcome = read(call, answer)
          return answer.status === 401
            ? Effect.succeed(outcome)
            : Effect.map(Effect.fromResult(outcome), Result.succeed)
        }),
        {
          timeout: config.timeout,
          advice: ({ retryable, retryAfterMs }) => ({
            isRetryable: retryable,
            retryAfter: retryAfterMs === undefined ? undefined : Duration.millis(retryAfterMs)
          }),
          onTimeout: () => Failure.fromRequestFailed(call, outOfTime)
        }
      )
    const outcome = yield* BearerAuth.use(token, attempt, { isRefused: Result.isFailure })
    return yield* Effect.fromResult(outcome)
  })

  const integrationCredential = Effect.fn("OutboundAuth.integrationCredential")(function*(name: string) {
    yield* checkName(name)
    return yield* ask(
      credentialCall,
      (endpoint) =>
        HttpClientRequest.post(addressOf(endpoint, "integration")).pipe(
          HttpClientRequest.bodyText(JSON.stringify({ integration_name: name }), "application/json")
        ),
      OutboundAnswer.readCredential
    )
  })

  const projectEnvVars = ask(
    variablesCall,
    (endpoint) => HttpClientRequest.get(addressOf(endpoint, "env")),
    OutboundAnswer.readVariables
  )

  const remembered = yield* Cache.makeWith(() => projectEnvVars, {
    capacity: 1,
    timeToLive: (exit) => Exit.isSuccess(exit) ? config.projectEnvVarsLifetime : Duration.zero
  })

  return OutboundAuth.of({
    integrationCredential,
    projectEnvVars,
    rememberedProjectEnvVars: Cache.get(remembered, "project")
  })
})

/**
 * Reads a credential as the JSON text that many of them are. Fails with `OutboundAuthError` of detail `credentialJson`
 * when it is none, or not of that schema; what was read is not shown.
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const decodeJson = <A, I>(
  schema: Schema.Codec<A, I>
): (credential: Redacted.Redacted) => Effect.Effect<A, OutboundAuthError> =>
(credential) => Effect.flatMap(CredentialReader.load, ({ decode }) => decode(schema)(credential))

/**
 * The outbound calls, with everything they are made from left open.
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<
  OutboundAuth,
  never,
  WorkloadConfig | HttpClient.HttpClient | Lane.Lane | TokenCache
> = Layer.effect(OutboundAuth, make)
