/**
 * Certificates as a file, for programs that can be told a path and nothing else.
 *
 * Certificates that were given as text stay in memory unless a path is asked for. Then they are written to a file that
 * only its owner can read, in a folder of its own, and removed when the process ends: by itself, by an error, or by a
 * signal nobody else listens to.
 *
 * @since 0.1.0
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import * as EnvKeys from "../EnvKeys.ts"
import { ConfigurationError } from "../WorkloadIdentityError.ts"
import type { CaBundle } from "./CaBundle.ts"

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const

const folders = new Set<string>()
const paths = new Map<string, string>()

const removeAll = () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
}

/**
 * A signal ends a process that does not listen for it, and listening changes that. So when nobody else listens, the
 * signal is sent again after the clean-up; a host that does listen decides for itself, and the exit cleans up.
 */
const onSignal = (signal: NodeJS.Signals) => {
  if (process.listenerCount(signal) > 1) return
  removeAll()
  for (const each of signals) process.off(each, onSignal)
  process.kill(process.pid, signal)
}

const watch = () => {
  process.on("exit", removeAll)
  for (const signal of signals) process.on(signal, onSignal)
}

const write = (text: string): string => {
  try {
    const folder = mkdtempSync(join(tmpdir(), "effect-identity-"))
    if (folders.size === 0) watch()
    folders.add(folder)
    const path = join(folder, "ca.pem")
    writeFileSync(path, text, { flag: "wx", mode: 0o600 })
    paths.set(text, path)
    return path
  } catch {
    throw new ConfigurationError([
      { name: EnvKeys.COZE_OUTBOUND_AUTH_PROXY_CA, rule: "could not be written to the temporary directory" }
    ])
  }
}

/**
 * The path of a bundle: of the file it was read from, or of a private one that is written when first asked for. Throws
 * `ConfigurationError` when it cannot be written.
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const pathOf = (bundle: CaBundle): string => {
  if (bundle.path !== undefined) return bundle.path
  const text = `${bundle.certificates.join("\n")}\n`
  return paths.get(text) ?? write(text)
}
