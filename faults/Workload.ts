/**
 * A workload on a network that fails: its identity, and its failures told in one line.
 */
import { Platform, SecretSweep } from "@effect-identity/testing"
import { Config, TokenCache, WorkloadIdentity, WorkloadIdentityError } from "@effect-identity/workload-identity"
import { NodeWorkloadIdentity } from "@effect-identity/workload-identity/node"
import { Cause, ConfigProvider, Effect, Layer, Redacted, type Scope } from "effect"
import * as assert from "node:assert/strict"
import * as BundledIdentity from "./BundledIdentity.ts"

export type Identity = WorkloadIdentity.WorkloadIdentity["Service"]

export interface Options {
  readonly config?: Config.Options | undefined
  readonly cache?: TokenCache.Options | undefined
}

type Make = (
  env: Readonly<Record<string, string>>,
  options?: Options
) => Effect.Effect<Identity, WorkloadIdentityError.ConfigurationError, Scope.Scope>

/** By the layers, for rows that are about clocks, the cache or an end of their scope. */
export const layersOf: Make = (env, { cache, config } = {}) =>
  Layer.build(
    NodeWorkloadIdentity.layerNodeHttp.pipe(
      Layer.provide(TokenCache.layerLocal(cache)),
      Layer.provide(Config.layer({ timeout: "5 seconds", ...config })),
      Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnvRecord(env)))
    )
  ).pipe(Effect.flatMap((context) => Effect.provide(WorkloadIdentity.WorkloadIdentity, Layer.succeedContext(context))))

/** By the layers, or by the facade as it is published where this run is about that. */
export const identityOf: Make = (env, { cache, config } = {}) =>
  BundledIdentity.isWanted && cache === undefined
    ? Effect.try({
      try: () => BundledIdentity.make(env, { timeout: "5 seconds", ...config }),
      catch: (error) => {
        if (error instanceof WorkloadIdentityError.ConfigurationError) return error
        throw error
      }
    })
    : layersOf(env, { cache, config })

const clientSecret = "loopback-client-secret"

/** An environment whose two steps are both asked at `origin`. */
export const envAt = (origin: string): Readonly<Record<string, string>> => ({
  COZE_WORKLOAD_IDENTITY_CLIENT_ID: "loopback-client",
  COZE_WORKLOAD_IDENTITY_CLIENT_SECRET: clientSecret,
  COZE_WORKLOAD_IDENTITY_TOKEN_ENDPOINT: `${origin}/.well-known/token`,
  COZE_WORKLOAD_ACCESS_TOKEN_ENDPOINT: `${origin}/.well-known/token`,
  COZE_OUTBOUND_AUTH_ENDPOINT: `${origin}/api/v1/secret`
})

/** A platform of its own, and an identity on it. */
export const onPlatform = Effect.fnUntraced(
  function*(options: Options & { readonly platform?: Platform.Options } = {}, make: Make = identityOf) {
    const context = yield* Layer.build(Platform.layer(options.platform))
    const platform = yield* Effect.provide(Platform.Platform, Layer.succeedContext(context))
    return { platform, identity: yield* make(platform.env, options) }
  }
)

/** `TokenRetrievalError Timeout(headers)`, and no secret in any face of the error. */
export const describe = (error: WorkloadIdentityError.WorkloadIdentityError): string => {
  const secrets = { clientSecret, idToken: "id-token-", accessToken: "access-token-" }
  for (const shown of [error, Cause.pretty(Cause.fail(error))]) {
    assert.deepEqual(SecretSweep.find(shown, secrets), [], "a secret is shown")
  }
  const detail = error.oauthCode ?? error.apiCode ?? error.detail ?? error.httpStatus
  return `${error.name} ${error.reason}${detail === undefined ? "" : `(${detail})`}`
}

/** The failure of what has to fail. */
export const failure = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<E> =>
  Effect.matchEffect(effect, {
    onFailure: Effect.succeed,
    onSuccess: () => Effect.die(new assert.AssertionError({ message: "it did not fail" }))
  })

/** The failure of what has to fail like this. */
export const failing = <A>(
  effect: Effect.Effect<A, WorkloadIdentityError.WorkloadIdentityError>,
  expected: string
) => Effect.tap(failure(effect), (error) => Effect.sync(() => assert.equal(describe(error), expected)))

export const valueOf = (token: { readonly value: Redacted.Redacted }): string => Redacted.value(token.value)

/** How many requests each step saw. */
export const steps = (platform: Platform.Platform["Service"]) =>
  Effect.map(platform.requests, (requests) => {
    const count = (step: string) => requests.filter((request) => request.step === step).length
    return {
      idToken: count("idToken"),
      accessToken: count("accessToken"),
      outbound: count("integrationCredential") + count("projectEnvVars")
    }
  })

export const told = ({ accessToken, idToken, outbound }: Effect.Success<ReturnType<typeof steps>>): string =>
  `${idToken} + ${accessToken} requests${outbound === 0 ? "" : `, ${outbound} outbound`}`
