/**
 * The settings of a token server, by their names in an environment.
 *
 * | variable | what it is |
 * | --- | --- |
 * | `TOKEN_SERVER_HOST`, `TOKEN_SERVER_PORT` | where it listens: `127.0.0.1`, 8787 |
 * | `TOKEN_SERVER_DATA` | folder of the SQLite file and of the master keys that are made for it: `token-server-data` |
 * | `TOKEN_SERVER_DATABASE_URL` | `postgres://…` instead of SQLite |
 * | `TOKEN_SERVER_MASTER_KEYS`, `TOKEN_SERVER_MASTER_KEYS_FILE` | the master keys, or a file with them; required with PostgreSQL |
 * | `OTEL_EXPORTER_OTLP_ENDPOINT` | where spans, metrics and logs go, besides the other names of OpenTelemetry |
 *
 * @since 0.1.0
 */
import { type Issue, refuse, type Setting, text } from "@effect-identity/oauth/Setting"
import * as Config from "effect/Config"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as MasterKeys from "./internal/operation/MasterKeys.ts"
import * as Telemetry from "./internal/operation/Telemetry.ts"

/**
 * Settings are missing or cannot be used. `issues` lists every one of them, by name and never by value.
 *
 * @example
 * ```ts
 * import { Settings } from "@effect-identity/token-server"
 *
 * const error = new Settings.ConfigurationError({ issues: [{ name: "TOKEN_SERVER_PORT", rule: "is wrong" }] })
 * error.message // => "invalid configuration: TOKEN_SERVER_PORT is wrong"
 * ```
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class ConfigurationError extends Data.TaggedError("ConfigurationError")<{
  readonly issues: ReadonlyArray<Issue>
}> {
  override get message(): string {
    return `invalid configuration: ${this.issues.map(({ name, rule }) => `${name} ${rule}`).join(", ")}`
  }
}

/**
 * Where things are kept: a folder with a SQLite file, or the address of a PostgreSQL database.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Storage =
  | { readonly _tag: "SQLite"; readonly folder: string }
  | { readonly _tag: "PostgreSQL"; readonly url: Redacted.Redacted }

/**
 * What a server needs to know before it starts.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Settings {
  readonly host: string
  /** 0 takes any that is free. */
  readonly port: number
  readonly storage: Storage
  /** The master keys as text: `id:key` for each, the key in Base64, the first one seals. Made where undefined, with SQLite only. */
  readonly masterKeys: Redacted.Redacted | undefined
}

const defaults = { host: "127.0.0.1", port: "8787", data: "token-server-data" } as const

const variable = (name: string): Effect.Effect<Setting<string | undefined>> =>
  Config.String(name).pipe(
    Config.withDefault(undefined),
    Effect.map((value): Setting<string | undefined> => Result.succeed(value === "" ? undefined : value)),
    // The provider's own error may quote what it read.
    Effect.orElseSucceed(() => refuse(name, "could not be read"))
  )

const HOST = "TOKEN_SERVER_HOST"
const PORT = "TOKEN_SERVER_PORT"
const DATA = "TOKEN_SERVER_DATA"
const DATABASE_URL = "TOKEN_SERVER_DATABASE_URL"
const MASTER_KEYS = "TOKEN_SERVER_MASTER_KEYS"
const MASTER_KEYS_FILE = "TOKEN_SERVER_MASTER_KEYS_FILE"

const host = (raw: string = defaults.host): Setting<string> =>
  Result.flatMap(
    text(HOST, raw),
    (value) =>
      /^[\w.:%-]{1,253}$/.test(value) ? Result.succeed(value) : refuse(HOST, "must be a host name or an IP address")
  )

const port = (raw: string = defaults.port): Setting<number> =>
  /^\d{1,5}$/.test(raw.trim()) && Number(raw) <= 65_535
    ? Result.succeed(Number(raw))
    : refuse(PORT, "must be a whole number from 0 to 65535")

const postgres = (raw: string): Setting<Redacted.Redacted> =>
  Result.flatMap(text(DATABASE_URL, raw), (value) => {
    const url = URL.parse(value)
    return url !== null && /^postgres(?:ql)?:$/.test(url.protocol) && url.hostname !== ""
      ? Result.succeed(Redacted.make(value, { label: DATABASE_URL }))
      : refuse(DATABASE_URL, "must be a URL of the form postgres://user:password@host:port/database")
  })

const storage = (url: string | undefined, folder: string | undefined): Setting<Storage> => {
  if (url === undefined) {
    return Result.map(text(DATA, folder ?? defaults.data), (folder) => ({ _tag: "SQLite", folder }))
  }
  return folder === undefined
    ? Result.map(postgres(url), (url) => ({ _tag: "PostgreSQL", url }))
    : refuse(DATA, `must not be set with ${DATABASE_URL}`)
}

const masterKeys = Effect.fnUntraced(function*(
  inline: string | undefined,
  path: string | undefined,
  isRequired: boolean
): Effect.fn.Return<Setting<Redacted.Redacted | undefined>> {
  if (inline !== undefined) {
    return path === undefined
      ? MasterKeys.check(MASTER_KEYS, Redacted.make(inline, { label: MASTER_KEYS }))
      : refuse(MASTER_KEYS_FILE, `must not be set with ${MASTER_KEYS}`)
  }
  if (path === undefined) {
    return isRequired
      ? refuse(MASTER_KEYS, `is missing, and so is ${MASTER_KEYS_FILE}: PostgreSQL needs one of them`)
      : Result.succeed(undefined)
  }
  const found = yield* MasterKeys.read(path)
  return found === undefined
    ? refuse(MASTER_KEYS_FILE, "is not a file that can be read")
    : MasterKeys.check(MASTER_KEYS_FILE, found)
})

/**
 * Reads and checks all of it through whatever `ConfigProvider` is installed: the environment of the process by default. Fails
 * with one `ConfigurationError` that lists every issue.
 *
 * @example
 * ```ts
 * import { Settings } from "@effect-identity/token-server"
 * import { ConfigProvider, Effect } from "effect"
 *
 * const read = (env: Record<string, string>) =>
 *   Effect.runPromise(
 *     Effect.result(Settings.read).pipe(
 *       Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown(env))
 *     )
 *   )
 *
 * const settings = await read({ TOKEN_SERVER_PORT: "8080" })
 * settings._tag === "Success" ? settings.success.host : "" // => "127.0.0.1"
 *
 * const wrong = await read({ TOKEN_SERVER_PORT: "http", TOKEN_SERVER_DATABASE_URL: "mysql://db" })
 * wrong._tag === "Failure" ? wrong.failure.issues.length : 0 // => 3
 * ```
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const read: Effect.Effect<Settings, ConfigurationError> = Effect.gen(function*() {
  const issues: Array<Issue> = []
  const keep = <A>(setting: Setting<A>): A | undefined => {
    if (Result.isSuccess(setting)) return setting.success
    issues.push(setting.failure)
    return undefined
  }
  const found = Effect.fnUntraced(function*(name: string) {
    return keep(yield* variable(name))
  })

  const checkedHost = keep(host(yield* found(HOST)))
  const checkedPort = keep(port(yield* found(PORT)))
  const url = yield* found(DATABASE_URL)
  const checkedStorage = keep(storage(url, yield* found(DATA)))
  const keys = keep(yield* masterKeys(yield* found(MASTER_KEYS), yield* found(MASTER_KEYS_FILE), url !== undefined))
  issues.push(...yield* Telemetry.issues)

  if (
    issues.length > 0 || checkedHost === undefined || checkedPort === undefined || checkedStorage === undefined
  ) {
    return yield* new ConfigurationError({ issues })
  }
  return { host: checkedHost, port: checkedPort, storage: checkedStorage, masterKeys: keys }
})
