/**
 * The proxy that stands between a workload and third parties, and whom to trust on the way.
 *
 * It is separate from the workload's own settings, because programs that only want a token must not fail over it.
 *
 * @since 0.1.0
 */
import { hasControlCharacters } from "@effect-identity/oauth/Setting"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { ProxyDiagnosis } from "../Diagnosis.ts"
import * as EnvKeys from "../EnvKeys.ts"
import * as Variables from "../internal/Variable.ts"
import { ConfigurationError, type ConfigurationIssue } from "../WorkloadIdentityError.ts"
import * as CaBundle from "./CaBundle.ts"

/**
 * Where the proxy is, and what it is told on CONNECT.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface ProxyAddress {
  readonly protocol: "http:" | "https:"
  readonly hostname: string
  readonly port: number
  /** The value of `Proxy-Authorization`. */
  readonly authorization: Redacted.Redacted
  /** The whole URL, credentials percent-encoded in it. */
  readonly url: Redacted.Redacted
}

/**
 * The way to third parties, as the environment describes it.
 *
 * @stability unstable
 * @category services
 * @since 0.1.0
 */
export class ProxyConfig extends Context.Service<ProxyConfig, {
  /** Absent when there is no proxy, and third parties are asked directly. */
  readonly proxy: ProxyAddress | undefined
  /** Certificates that are trusted besides the default ones, for the proxy and for what is behind it. */
  readonly ca: CaBundle.CaBundle | undefined
}>()("@effect-identity/workload-identity/node/ProxyConfig") {}

const variables = [
  EnvKeys.COZE_OUTBOUND_AUTH_PROXY,
  EnvKeys.identity_ticket,
  EnvKeys.COZE_OUTBOUND_AUTH_PROXY_CA,
  EnvKeys.COZE_OUTBOUND_AUTH_PROXY_CA_PATH
] as const

const read = (name: typeof variables[number]): Effect.Effect<string | undefined, ConfigurationError> =>
  Variables.read(name).pipe(
    Effect.mapError(() => new ConfigurationError([{ name, rule: "could not be read" }])),
    // A blank value is none; one line break at the end is dropped.
    Effect.map((raw) => raw === undefined || raw.trim() === "" ? undefined : raw.replace(/\r?\n$/, ""))
  )

const refuse = (name: string, rule: string): Result.Result<never, ConfigurationIssue> => Result.fail({ name, rule })

const addressOf = (
  raw: string,
  ticket: string | undefined
): Result.Result<ProxyAddress, ConfigurationIssue> => {
  const url = hasControlCharacters(raw) ? null : URL.parse(raw)
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    return refuse(EnvKeys.COZE_OUTBOUND_AUTH_PROXY, "must be an http or https URL")
  }
  if (ticket === undefined) return refuse(EnvKeys.identity_ticket, ConfigurationError.missing)
  if (hasControlCharacters(ticket) || !ticket.isWellFormed()) {
    return refuse(EnvKeys.identity_ticket, "must not contain control characters")
  }
  const standardPort = url.protocol === "https:" ? 443 : 80
  url.username = "space"
  url.password = ""
  const { href } = url
  const credentials = `space:${encodeURIComponent(ticket)}@`
  return Result.succeed({
    protocol: url.protocol,
    hostname: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? standardPort : Number(url.port),
    authorization: Redacted.make(`Basic ${Buffer.from(`space:${ticket}`).toString("base64")}`, { label: "ticket" }),
    url: Redacted.make(href.replace("space@", credentials), { label: "proxy" })
  })
}

/** Both halves of the settings, each usable or not. */
const inspect = Effect.gen(function*() {
  const [proxy, ticket, text, path] = yield* Effect.all([
    read(variables[0]),
    read(variables[1]),
    read(variables[2]),
    read(variables[3])
  ])
  const now = yield* Clock.currentTimeMillis
  const none = Result.succeed(undefined)
  const address = proxy === undefined ? none : addressOf(proxy, ticket)
  const ca = text !== undefined
    ? CaBundle.fromText(EnvKeys.COZE_OUTBOUND_AUTH_PROXY_CA, text, now)
    : path !== undefined
    ? CaBundle.fromFile(EnvKeys.COZE_OUTBOUND_AUTH_PROXY_CA_PATH, path, now)
    : none
  return {
    address,
    ca,
    issues: [
      ...(Result.isFailure(address) ? [address.failure] : []),
      ...(Result.isFailure(ca) ? [ca.failure] : [])
    ]
  }
})

/**
 * Reads and checks the settings, through whatever `ConfigProvider` is installed.
 *
 * User info in the address is replaced by `space` and the ticket. Certificates given as text win over a path. Fails with
 * one `ConfigurationError` that lists every issue, by name and never by value.
 *
 * @example
 * ```ts
 * import { ProxyConfig } from "@effect-identity/workload-identity/node"
 * import { ConfigProvider, Effect, Redacted } from "effect"
 *
 * const config = Effect.runSync(
 *   Effect.provideService(
 *     ProxyConfig.make,
 *     ConfigProvider.ConfigProvider,
 *     ConfigProvider.fromUnknown({ COZE_OUTBOUND_AUTH_PROXY: "http://proxy.example:3128", identity_ticket: "a b" })
 *   )
 * )
 *
 * config.proxy && Redacted.value(config.proxy.url) // => "http://space:a%20b@proxy.example:3128/"
 * ```
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make: Effect.Effect<ProxyConfig["Service"], ConfigurationError> = Effect.gen(function*() {
  const { address, ca, issues } = yield* inspect
  if (Result.isFailure(address) || Result.isFailure(ca)) return yield* Effect.fail(new ConfigurationError(issues))
  if (ca.success !== undefined && ca.success.outdated.length > 0) {
    yield* Effect.logWarning(`certificates not valid at this time were left out: ${ca.success.outdated.join(", ")}`)
  }
  return { proxy: address.success, ca: ca.success }
})

const stateOfProxy = (
  address: Result.Result<ProxyAddress | undefined, ConfigurationIssue>
): ProxyDiagnosis["proxy"] => {
  if (Result.isFailure(address)) return "invalid"
  return address.success === undefined ? "none" : "configured"
}

const stateOfCa = (ca: Result.Result<CaBundle.CaBundle | undefined, ConfigurationIssue>): ProxyDiagnosis["ca"] => {
  if (Result.isFailure(ca)) return "invalid"
  if (ca.success === undefined) return "default"
  return ca.success.path === undefined ? "text" : "file"
}

/**
 * What the proxy settings of the environment come to.
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const diagnose: Effect.Effect<ProxyDiagnosis> = Effect.match(inspect, {
  onSuccess: ({ address, ca, issues }) => ({
    proxy: stateOfProxy(address),
    ca: stateOfCa(ca),
    certificates: Result.isSuccess(ca) ? ca.success?.certificates.length ?? 0 : 0,
    issues
  }),
  onFailure: ({ issues }) => ({ proxy: "invalid", ca: "invalid", certificates: 0, issues })
})

/**
 * The proxy settings of the environment.
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<ProxyConfig, ConfigurationError> = Layer.effect(ProxyConfig, make)
