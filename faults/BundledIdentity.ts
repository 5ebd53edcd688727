/**
 * The bundled facade in the shape of the service, so that the same rows tell what it does.
 */
import { Client, type ProjectEnvVars as PlainEnvVars } from "@effect-identity/client"
import { AccessToken } from "@effect-identity/oauth"
import type { Config, WorkloadIdentity } from "@effect-identity/workload-identity"
import { OutboundAuth, ProjectEnvVars, WorkloadIdentityError } from "@effect-identity/workload-identity"
import { Duration, Effect, Redacted } from "effect"

const { ConfigurationError, OutboundAuthError, TokenExchangeError, TokenRetrievalError } = WorkloadIdentityError

/** Whether this process was told to take the facade as it is published. */
export const isWanted = import.meta.resolve("@effect-identity/client").endsWith("/dist/lazy.js")

/** The engine would remember tokens from one row to the next, for ports that are used again. */
const forgetEngine = () => {
  for (const key of Object.getOwnPropertySymbols(globalThis)) {
    if (String(key.description).startsWith("@effect-identity/client/engine/")) Reflect.deleteProperty(globalThis, key)
  }
}

const clientIn = (env: Readonly<Record<string, string>>, options: ConstructorParameters<typeof Client>[0]): Client => {
  const before = { ...process.env }
  try {
    Object.assign(process.env, env)
    forgetEngine()
    return new Client(options)
  } finally {
    for (const name of Object.keys(env)) delete process.env[name]
    Object.assign(process.env, before)
  }
}

const millis = (duration: Duration.Input | undefined): number | undefined =>
  duration === undefined ? undefined : Duration.toMillis(Duration.fromInputUnsafe(duration))

const tokenFailure = (error: unknown): WorkloadIdentity.TokenFailure => {
  if (
    error instanceof ConfigurationError || error instanceof TokenRetrievalError || error instanceof TokenExchangeError
  ) return error
  throw error
}

const outboundFailure = (error: unknown): OutboundAuth.OutboundFailure =>
  error instanceof OutboundAuthError ? error : tokenFailure(error)

const redacted = (vars: PlainEnvVars) =>
  new ProjectEnvVars.ProjectEnvVars(
    Array.from(vars, ({ key, value }) => ({ key, value: Redacted.make(value, { label: key }) }))
  )

export const make = (
  env: Readonly<Record<string, string>>,
  { connectTimeout, strictness, timeout }: Config.Options
): WorkloadIdentity.WorkloadIdentity["Service"] => {
  const client = clientIn(env, { timeoutMs: millis(timeout), connectTimeoutMs: millis(connectTimeout), strictness })
  // Plain programs get a text; how long it lives stands in the diagnosis.
  const lifetime = Effect.map(
    Effect.promise(() => client.diagnose()),
    ({ token }) =>
      token === undefined ? Duration.hours(1) : Duration.millis(Math.round(token.ageMs + token.remainingMs))
  )
  const token = (forceRefresh: boolean) =>
    Effect.gen(function*() {
      const value = yield* Effect.tryPromise({
        try: (signal) => client.getAccessToken({ forceRefresh, signal }),
        catch: tokenFailure
      })
      return yield* AccessToken.make({ value: Redacted.make(value), lifetime: yield* lifetime })
    })
  const variables = (remembered: boolean) =>
    Effect.map(
      Effect.tryPromise({
        try: (signal) => client.getProjectEnvVars({ remembered, signal }),
        catch: outboundFailure
      }),
      redacted
    )
  const integrationCredential = (name: string) =>
    Effect.map(
      Effect.tryPromise({
        try: (signal) => client.getIntegrationCredential(name, { signal }),
        catch: outboundFailure
      }),
      (credential) => Redacted.make(credential)
    )
  return {
    accessToken: token(false),
    freshAccessTokenUnsafe: () => undefined,
    refreshedAccessToken: token(true),
    integrationCredential,
    integrationCredentialJson: (name, schema) =>
      Effect.flatMap(integrationCredential(name), OutboundAuth.decodeJson(schema)),
    projectEnvVars: variables(false),
    rememberedProjectEnvVars: variables(true),
    diagnose: Effect.promise(() => client.diagnose())
  }
}
