/**
 * What the pages on troubles have to quote: the name of every reason and problem, and the messages they come with, as the
 * code tells them.
 */
import { ApiError } from "@effect-identity/api-client"
import { Environment, Problem } from "@effect-identity/coze-issuer"
import { OAuthError } from "@effect-identity/oauth"
import { Config, type WorkloadIdentityError } from "@effect-identity/workload-identity"
import { ProxyConfig } from "@effect-identity/workload-identity/node"
import { ConfigProvider, Effect } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"

const { InvalidResponse, OAuth, Proxy, Status, Throttled, Timeout, Tls, Transport } = OAuthError

const connection = {
  Transport: (["refused", "reset", "dns", "unreachable", "other"] as const).map((detail) => new Transport({ detail })),
  Timeout: (["connect", "headers", "body", "total"] as const).map((detail) => new Timeout({ detail })),
  Tls: (["untrusted", "expired", "hostname", "protocol"] as const).map((detail) => new Tls({ detail })),
  Proxy: [
    new Proxy({ detail: "authentication", status: 407 }),
    new Proxy({ detail: "status", status: 502 }),
    new Proxy({ detail: "unreachable", status: undefined }),
    new Proxy({ detail: "tls", status: undefined }),
    new Proxy({ detail: "timeout", status: undefined })
  ]
}

const flaws: { readonly [flaw in OAuthError.Flaw]: true } = {
  contentType: true,
  duplicate: true,
  empty: true,
  encoding: true,
  expired: true,
  http: true,
  issuedTokenType: true,
  json: true,
  lifetime: true,
  nesting: true,
  shape: true,
  token: true,
  tokenType: true,
  tooLarge: true
}

const isFlaw = (name: string): name is OAuthError.Flaw => Object.hasOwn(flaws, name)

const invalid = Object.keys(flaws).filter(isFlaw).map((detail) => new InvalidResponse({ status: undefined, detail }))

interface Told {
  readonly message: string
}

// A reason that is added is missed here by the compiler, and then on the pages.
const reasons: { readonly [tag in OAuthError.Reason["_tag"]]: ReadonlyArray<Told> } = {
  ...connection,
  Status: [new Status({ status: 503 }), new Status({ status: 307 })],
  Throttled: [new Throttled({ status: 429, code: undefined })],
  OAuth: [
    new OAuth({ status: 401, code: "invalid_client", apiCode: undefined, description: "client authentication failed" }),
    new OAuth({ status: 403, code: undefined, apiCode: 190000007, description: "no permission" })
  ],
  InvalidResponse: invalid,
  Closed: [new OAuthError.Closed()],
  Unexpected: [new OAuthError.Unexpected({ defect: "TypeError" })]
}

const apiReasons: { readonly [tag in ApiError.Reason["_tag"]]: ReadonlyArray<Told> } = {
  ...connection,
  InvalidResponse: [],
  InvalidRequest: [new ApiError.InvalidRequest({ field: "path", rule: "must not be an absolute URL" })],
  Status: [
    new ApiError.Status({ status: 404, code: "wallet_not_found", description: "No such wallet", details: [] })
  ],
  Throttled: [
    new ApiError.Throttled({ status: 429, code: "rate_limit_exceeded", description: undefined, isSent: true }),
    new ApiError.Throttled({ status: 429, code: undefined, description: undefined, isSent: false })
  ],
  Undecodable: [new ApiError.Undecodable({ status: 200, path: ["wallets", 0, "balance"] })]
}

const workloadReasons: { readonly [reason in WorkloadIdentityError.Reason]: true } = {
  Configuration: true,
  Transport: true,
  Timeout: true,
  Tls: true,
  Proxy: true,
  Status: true,
  Throttled: true,
  OAuth: true,
  InvalidResponse: true,
  Closed: true,
  Unexpected: true
}

const rulesOf = async <A>(
  program: Effect.Effect<A, { readonly issues: ReadonlyArray<{ readonly rule: string }> }>,
  env: Record<string, string>
): Promise<ReadonlyArray<string>> => {
  const provider = ConfigProvider.fromUnknown(env)
  const error = await Effect.runPromise(
    Effect.flip(Effect.provideService(program, ConfigProvider.ConfigProvider, provider))
  )
  return error.issues.map(({ rule }) => rule)
}

/** Everything that can be wrong with a setting, provoked. */
const rules = async () =>
  (await Promise.all([
    rulesOf(Config.make(), {
      COZE_WORKLOAD_IDENTITY_CLIENT_ID: " app",
      COZE_WORKLOAD_IDENTITY_CLIENT_SECRET: "a\u0000b",
      COZE_WORKLOAD_IDENTITY_TOKEN_ENDPOINT: "issuer.example/token",
      COZE_WORKLOAD_ACCESS_TOKEN_ENDPOINT: "http://issuer.example/token",
      COZE_OUTBOUND_AUTH_ENDPOINT: "https://user@issuer.example",
      COZE_SERVER_ENV: "\u00e9"
    }),
    rulesOf(Config.make({ timeout: 0 }), { COZE_WORKLOAD_IDENTITY_TOKEN_ENDPOINT: "https://issuer.example/#token" }),
    rulesOf(ProxyConfig.make, { COZE_OUTBOUND_AUTH_PROXY: "proxy", COZE_OUTBOUND_AUTH_PROXY_CA: "none" }),
    rulesOf(ProxyConfig.make, { COZE_OUTBOUND_AUTH_PROXY_CA_PATH: "/nowhere/at/all" }),
    rulesOf(Environment.read({ PRIVATE_KEY: "none", CALLER_API_KEYS: "web", TOKEN_DURATION: 0 }), {}),
    rulesOf(Environment.read({ CALLER_JWT_ISSUER: "https://issuer.example", CALLER_AUTH: "none" }), {})
  ])).flat()

/** What has to be quoted and is not, in either language. */
export const flawsOf = async (folder: string): Promise<ReadonlyArray<string>> => {
  const tables = { ...workloadReasons, ...reasons, ...apiReasons, ...flaws, ...Problem.statuses }
  const quotes = new Set([
    ...Object.keys(tables),
    ...Object.values(reasons).flat().map(({ message }) => message.replace("invalid answer: ", "")),
    ...Object.values(apiReasons).flat().map(({ message }) => message),
    ...await rules()
  ])
  return ["troubleshooting.md", "troubleshooting.zh-CN.md"].flatMap((name) => {
    const text = readFileSync(join(folder, name), "utf8")
    return Array.from(quotes).filter((quote) => !text.includes(quote)).map((quote) =>
      `${name} does not quote: ${quote}`
    )
  })
}
