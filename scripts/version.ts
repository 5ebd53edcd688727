/**
 * `pnpm version:next`: what the changesets say becomes the next version, in the manifests, the changelogs, and where the code
 * itself names it.
 */
import { execFileSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

const root = join(import.meta.dirname, "..")

/** Where a package's version stands besides its manifest. */
const places = [
  ["workload-identity", "src/internal/version.ts", /(?<=version = ")[\d.]+(?=")/],
  ["coze-issuer", "Dockerfile", /(?<=@effect-identity\/coze-issuer@)[\d.]+/],
  ["token-server", "src/internal/version.ts", /(?<=version = ")[\d.]+(?=")/],
  ["token-server", "Dockerfile", /(?<=@effect-identity\/token-server@)[\d.]+/]
] as const

execFileSync("changeset", ["version"], { cwd: root, stdio: "inherit" })
for (const [name, file, pattern] of places) {
  const { version } = JSON.parse(readFileSync(join(root, "packages", name, "package.json"), "utf8"))
  const path = join(root, "packages", name, file)
  const before = readFileSync(path, "utf8")
  if (!pattern.test(before)) throw new Error(`${path} names no version`)
  writeFileSync(path, before.replace(pattern, version))
  console.log(`the next version of ${name} is ${version}`)
}
