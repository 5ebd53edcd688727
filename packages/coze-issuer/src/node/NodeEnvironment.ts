/**
 * The environment of an issuer on Node: that of the process, with what only a process has.
 *
 * @since 0.1.0
 */
import { isLoopback } from "@effect-identity/coze-issuer/Callers"
import { ConfigurationError } from "@effect-identity/coze-issuer/ConfigurationError"
import * as Environment from "@effect-identity/coze-issuer/Environment"
import type { Issue } from "@effect-identity/oauth/Setting"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import { readFile, stat } from "node:fs/promises"

/**
 * What the environment of a server says: the variables of the issuer, and where it listens.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface NodeEnvironment {
  readonly variables: Environment.Environment
  /** Where it listens: `HOST`, `127.0.0.1` by default, and `PORT`, 8787 by default. */
  readonly host: string
  readonly port: number
}

const names: ReadonlyArray<string> = [
  ...Object.values(Environment.appNames),
  ...Object.values(Environment.jwtNames),
  Environment.CALLER_API_KEYS,
  Environment.CALLER_AUTH
]

const refuse = (name: string, rule: string) => new ConfigurationError({ issues: [{ name, rule }] })

const variable = (name: string): Effect.Effect<string | undefined, ConfigurationError> =>
  Config.String(name).pipe(
    Config.withDefault(undefined),
    // The provider's own error may quote what it read.
    Effect.mapError(() => refuse(name, "could not be read"))
  )

const fileName = "PRIVATE_KEY_FILE"

/** No key is larger. */
const maximumBytes = 64 * 1024

const readKey = Effect.fnUntraced(function*(path: string): Effect.fn.Return<string, ConfigurationError> {
  const unreadable = refuse(fileName, "is not a file that can be read")
  const found = yield* Effect.tryPromise({ try: () => stat(path), catch: () => unreadable })
  if (!found.isFile() || found.size > maximumBytes) return yield* unreadable
  return yield* Effect.tryPromise({ try: () => readFile(path, "utf8"), catch: () => unreadable })
})

/**
 * Reads the variables through whatever `ConfigProvider` is installed: those of the process by default. `PRIVATE_KEY_FILE`
 * names a file with the key, instead of `PRIVATE_KEY`.
 *
 * Fails with `ConfigurationError`, also where an issuer that is open to everyone would listen beyond this machine.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const read: Effect.Effect<NodeEnvironment, ConfigurationError> = Effect.gen(function*() {
  const found: Record<string, unknown> = {}
  for (const name of names) found[name] = yield* variable(name)
  const keyFile = yield* variable(fileName)
  if (keyFile !== undefined && keyFile !== "") {
    if (found[Environment.appNames.privateKey] !== undefined) {
      return yield* refuse(fileName, `must not be set with ${Environment.appNames.privateKey}`)
    }
    found[Environment.appNames.privateKey] = yield* readKey(keyFile)
  }
  const host = (yield* variable("HOST")) ?? "127.0.0.1"
  const port = (yield* variable("PORT")) ?? "8787"
  const issues: Array<Issue> = []
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    issues.push({ name: "PORT", rule: "must be a whole number from 0 to 65535" })
  }
  if (Environment.isOpen(found) && !isLoopback(host)) {
    issues.push({
      name: "HOST",
      rule: `must be a loopback address while ${Environment.CALLER_AUTH} is open-on-loopback`
    })
  }
  if (issues.length > 0) return yield* new ConfigurationError({ issues })
  return { variables: found, host, port: Number(port) }
})
