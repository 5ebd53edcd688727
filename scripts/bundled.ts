/**
 * Runs everything that uses the facade against what is published of it, not against its sources: its tests, the fault matrix, the
 * examples. It must have been built.
 */
import { spawnSync } from "node:child_process"
import { join } from "node:path"

const root = join(import.meta.dirname, "..")

const env = { ...process.env, NODE_OPTIONS: `${process.env["NODE_OPTIONS"] ?? ""} --conditions=bundled` }

const programs: ReadonlyArray<readonly [command: string, ...args: ReadonlyArray<string>]> = [
  ["vitest", "run", "--config", "vitest.bundled.ts"],
  [process.execPath, "faults/main.ts"],
  [process.execPath, "examples/run.ts"]
]

for (const [command, ...args] of programs) {
  const { status } = spawnSync(command, args, { cwd: root, env, stdio: "inherit" })
  if (status !== 0) process.exitCode = 1
}
