/**
 * `pnpm version:next`: what the changesets say becomes the next version, in the manifests, the changelogs, and where the code
 * itself names it.
 */
import { execFileSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

const root = join(import.meta.dirname, "..")
const constant = join(root, "packages/workload-identity/src/internal/version.ts")

execFileSync("changeset", ["version"], { cwd: root, stdio: "inherit" })
const { version } = JSON.parse(readFileSync(join(root, "packages/workload-identity/package.json"), "utf8"))
const before = readFileSync(constant, "utf8")
const after = before.replace(/"\d+\.\d+\.\d+"/, JSON.stringify(version))
if (!after.includes(JSON.stringify(version))) throw new Error(`${constant} names no version`)
writeFileSync(constant, after)
console.log(`the next version is ${version}`)
