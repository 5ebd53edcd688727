/**
 * The environment of a workload, as an operator wants to see it: which variables are set, which are wrong and why.
 *
 * @since 0.1.0
 */
import * as Setting from "@effect-identity/oauth/Setting"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Variable } from "./Diagnosis.ts"
import * as EnvKeys from "./EnvKeys.ts"
import * as LaneSetting from "./internal/LaneSetting.ts"
import * as Variables from "./internal/Variable.ts"
import type { ConfigurationIssue } from "./WorkloadIdentityError.ts"

type Check = (name: string, raw: string | undefined) => Result.Result<unknown, ConfigurationIssue>

const noCheck: Check = () => Result.succeed(undefined)

const known: ReadonlyArray<readonly [name: string, need: "required" | "optional", check: Check]> = [
  [EnvKeys.COZE_WORKLOAD_IDENTITY_CLIENT_ID, "required", Setting.text],
  [EnvKeys.COZE_WORKLOAD_IDENTITY_CLIENT_SECRET, "required", Setting.text],
  [EnvKeys.COZE_WORKLOAD_IDENTITY_CLIENT_SECRET_FILE, "optional", Setting.text],
  [EnvKeys.COZE_WORKLOAD_IDENTITY_TOKEN_ENDPOINT, "required", Setting.url],
  [EnvKeys.COZE_WORKLOAD_ACCESS_TOKEN_ENDPOINT, "required", Setting.url],
  [EnvKeys.COZE_OUTBOUND_AUTH_ENDPOINT, "optional", Setting.optionalUrl],
  [EnvKeys.COZE_SERVER_ENV, "optional", LaneSetting.lane],
  [EnvKeys.COZE_OUTBOUND_AUTH_PROXY, "optional", noCheck],
  [EnvKeys.identity_ticket, "optional", noCheck],
  [EnvKeys.COZE_OUTBOUND_AUTH_PROXY_CA, "optional", noCheck],
  [EnvKeys.COZE_OUTBOUND_AUTH_PROXY_CA_PATH, "optional", noCheck]
]

const read = (name: string): Effect.Effect<string | undefined> =>
  Effect.orElseSucceed(Variables.read(name), () => undefined)

/**
 * The variables of the environment, in the order of the documentation: which are set, and which are wrong and why. What
 * the proxy variables hold is judged by `ProxyConfig` on Node.
 *
 * @example
 * ```ts
 * import { Environment } from "@effect-identity/workload-identity"
 * import { ConfigProvider, Effect } from "effect"
 *
 * const found = Effect.runSync(
 *   Effect.provideService(
 *     Environment.variables,
 *     ConfigProvider.ConfigProvider,
 *     ConfigProvider.fromUnknown({ COZE_WORKLOAD_IDENTITY_CLIENT_ID: "app" })
 *   )
 * )
 *
 * found.slice(0, 2).map(({ state }) => state) // => ["set", "missing"]
 * ```
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const variables: Effect.Effect<ReadonlyArray<Variable>> = Effect.gen(function*() {
  const secretFile = yield* read(EnvKeys.COZE_WORKLOAD_IDENTITY_CLIENT_SECRET_FILE)
  return yield* Effect.forEach(
    known,
    Effect.fnUntraced(function*([name, need, check]): Effect.fn.Return<Variable> {
      const raw = yield* read(name)
      const isNeeded = need === "required"
        && (name !== EnvKeys.COZE_WORKLOAD_IDENTITY_CLIENT_SECRET || Setting.isBlank(secretFile))
      if (Setting.isBlank(raw)) return { name, state: isNeeded ? "missing" : "absent" }
      const result = check(name, raw)
      return Result.isSuccess(result) ? { name, state: "set" } : { name, state: "invalid", rule: result.failure.rule }
    })
  )
})
