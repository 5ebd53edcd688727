/**
 * The identity of a Coze workload: what programs yield to get a token.
 *
 * Two steps lead to it, an id token for the client's credentials (RFC 6749 §4.4) and an access token in exchange for
 * that (RFC 8693). This module joins them and lets `TokenCache` see to it that they are taken once.
 *
 * @since 0.1.0
 */
import * as AccessToken from "@effect-identity/oauth/AccessToken"
import type { TokenCache } from "@effect-identity/oauth/TokenCache"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { HttpClient } from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Schema from "effect/Schema"
import type { WorkloadConfig } from "./Config.ts"
import type { Diagnosis } from "./Diagnosis.ts"
import * as Environment from "./Environment.ts"
import * as LastFailures from "./internal/LastFailures.ts"
import * as WorkloadToken from "./internal/WorkloadToken.ts"
import * as Lane from "./Lane.ts"
import * as OutboundAuth from "./OutboundAuth.ts"
import { ProjectEnvVars } from "./ProjectEnvVars.ts"
import {
  type ConfigurationError,
  OutboundAuthError,
  type TokenExchangeError,
  type TokenRetrievalError
} from "./WorkloadIdentityError.ts"

/**
 * What asking for the token fails with.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export type TokenFailure = ConfigurationError | TokenRetrievalError | TokenExchangeError

/**
 * The identity of this workload: its token, and what that opens.
 *
 * @stability unstable
 * @category services
 * @since 0.1.0
 */
export class WorkloadIdentity extends Context.Service<WorkloadIdentity, {
  /**
   * The access token of this workload: the remembered one while it is valid, otherwise a new one, asked for once
   * however many callers wait. Fails with `TokenRetrievalError` when there is no id token, with `TokenExchangeError` when
   * it cannot be traded, and with `ConfigurationError` when the secret is read from somewhere and is not there.
   */
  readonly accessToken: Effect.Effect<AccessToken.AccessToken, TokenFailure>
  /**
   * The remembered access token when `accessToken` would give it out without replacing it, without running an effect, and
   * `undefined` otherwise. Clock and metrics are those of `context`. A secret that can change makes it `undefined`.
   */
  readonly freshAccessTokenUnsafe: (context: Context.Context<never>) => AccessToken.AccessToken | undefined
  /** A new access token, from a request that is sent after this began. The one that is held stays until it is there. */
  readonly refreshedAccessToken: Effect.Effect<AccessToken.AccessToken, TokenFailure>
  /** The credential of an integration. Asked for anew on every run. */
  readonly integrationCredential: (name: string) => Effect.Effect<Redacted.Redacted, OutboundAuth.OutboundFailure>
  /**
   * The credential of an integration, read as JSON of a schema. Fails with `OutboundAuthError` of detail
   * `credentialJson` when it is none.
   */
  readonly integrationCredentialJson: <A, I>(
    name: string,
    schema: Schema.Codec<A, I>
  ) => Effect.Effect<A, OutboundAuth.OutboundFailure>
  /** The variables of the project. Asked for anew on every run. */
  readonly projectEnvVars: Effect.Effect<ProjectEnvVars<Redacted.Redacted>, OutboundAuth.OutboundFailure>
  /** The variables of the project, remembered for a minute unless configured otherwise, asked for once for all who wait. */
  readonly rememberedProjectEnvVars: Effect.Effect<ProjectEnvVars<Redacted.Redacted>, OutboundAuth.OutboundFailure>
  /** What is set, what is held, and what failed last: never a value. */
  readonly diagnose: Effect.Effect<Diagnosis>
}>()("@effect-identity/workload-identity/WorkloadIdentity") {}

const fromOutbound = (outbound: OutboundAuth.OutboundAuth["Service"]) => ({
  ...outbound,
  integrationCredentialJson: <A, I>(name: string, schema: Schema.Codec<A, I>) =>
    Effect.flatMap(outbound.integrationCredential(name), OutboundAuth.decodeJson(schema))
})

/**
 * Joins the token and what it opens.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.gen(function*() {
  const token = yield* WorkloadToken.make
  const outbound = yield* OutboundAuth.OutboundAuth
  const { name } = yield* Lane.Lane
  const failures = yield* LastFailures.make
  const get = failures.recording(token.get)
  return WorkloadIdentity.of({
    accessToken: Effect.withFiber((fiber) => {
      const fresh = fiber.cache.span === undefined ? token.freshUnsafe(fiber.context) : undefined
      return fresh === undefined ? get : Effect.succeed(fresh)
    }),
    freshAccessTokenUnsafe: token.freshUnsafe,
    refreshedAccessToken: failures.recording(token.refresh),
    ...fromOutbound({
      integrationCredential: (name) => failures.recording(outbound.integrationCredential(name)),
      projectEnvVars: failures.recording(outbound.projectEnvVars),
      rememberedProjectEnvVars: failures.recording(outbound.rememberedProjectEnvVars)
    }),
    diagnose: Effect.gen(function*() {
      return {
        variables: yield* Environment.variables,
        lane: Lane.kindOf(name),
        ...(yield* token.state),
        failures: yield* failures.all
      }
    })
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
  WorkloadConfig | HttpClient | Lane.Lane | TokenCache | OutboundAuth.OutboundAuth
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
  /** Credentials by integration name. Others are not found. */
  readonly credentials?: Readonly<Record<string, string>> | undefined
  /** The variables of the project. */
  readonly variables?: Readonly<Record<string, string>> | undefined
}

const notFound = Effect.fail(
  new OutboundAuthError("Integration credential API error: code=1001, msg=integration not found", {
    step: "integrationCredential",
    reason: "InvalidResponse",
    detail: "code",
    retryable: false,
    httpStatus: 200,
    apiCode: 1001
  })
)

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
 *   const variables = yield* identity.projectEnvVars
 *   return variables.map(Redacted.value).get("REGION")
 * })
 *
 * const layer = WorkloadIdentity.layerTest({ accessToken: "token", variables: { REGION: "cn-beijing" } })
 * Effect.runSync(Effect.provide(program, layer)) // => "cn-beijing"
 * ```
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layerTest = (
  { accessToken, credentials = {}, variables = {} }: TestAnswers
): Layer.Layer<WorkloadIdentity> => {
  const token = typeof accessToken === "string"
    ? AccessToken.make({ value: Redacted.make(accessToken), lifetime: "1 hour" })
    : Effect.fail(accessToken)
  const projectEnvVars = Effect.as(
    token,
    new ProjectEnvVars(Object.entries(variables).map(([key, value]) => ({ key, value: Redacted.make(value) })))
  )
  return Layer.succeed(WorkloadIdentity, {
    accessToken: token,
    freshAccessTokenUnsafe: () => undefined,
    refreshedAccessToken: token,
    ...fromOutbound({
      integrationCredential: (name) => {
        const credential = Object.hasOwn(credentials, name) ? credentials[name] : undefined
        return Effect.andThen(token, credential === undefined ? notFound : Effect.succeed(Redacted.make(credential)))
      },
      projectEnvVars,
      rememberedProjectEnvVars: projectEnvVars
    }),
    diagnose: Effect.map(
      Environment.variables,
      (variables): Diagnosis => ({
        variables,
        lane: "none",
        token: undefined,
        cache: { isAsking: false, lastAnswer: undefined, coolDownMs: 0, failure: undefined },
        failures: {}
      })
    )
  })
}
