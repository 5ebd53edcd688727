/**
 * `pnpm publish:all` publishes, from the workflow of a release, every package whose version the registry does not have, with
 * provenance: npm attests which commit and which workflow a tarball was built by, and demands that its manifest names the
 * repository. That is not written down anywhere: whoever runs the workflow is it. `--dry-run` publishes nothing.
 */
import { execFileSync } from "node:child_process"
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Tarball from "./Tarball.ts"

const root = join(import.meta.dirname, "..")
const isDry = process.argv.includes("--dry-run")
const { GITHUB_REPOSITORY, GITHUB_SERVER_URL } = process.env
if (GITHUB_REPOSITORY === undefined || GITHUB_SERVER_URL === undefined) {
  throw new Error("provenance needs a workflow: GITHUB_SERVER_URL and GITHUB_REPOSITORY are not set")
}
const url = `git+${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}.git`

const isPublished = (name: string, version: string): boolean => {
  try {
    return execFileSync("npm", ["view", `${name}@${version}`, "version"], { stdio: ["ignore", "pipe", "ignore"] })
      .toString().trim() === version
  } catch {
    return false
  }
}

const workplace = Tarball.workplace()
try {
  for (const folder of readdirSync(join(root, "packages"))) {
    const path = join(root, "packages", folder, "package.json")
    const written = readFileSync(path, "utf8")
    const manifest = JSON.parse(written)
    if (manifest.private === true) continue
    if (!isDry && isPublished(manifest.name, manifest.version)) {
      console.log(`${manifest.name}@${manifest.version} is published already`)
      continue
    }
    const repository = { type: "git", url, directory: `packages/${folder}` }
    try {
      writeFileSync(path, JSON.stringify({ ...manifest, repository }, null, 2))
      const tarball = await Tarball.pack(workplace, folder)
      const how = isDry ? ["--dry-run"] : ["--provenance"]
      execFileSync("npm", ["publish", tarball, "--access", "public", ...how], { stdio: "inherit" })
    } finally {
      writeFileSync(path, written)
    }
  }
} finally {
  rmSync(workplace, { recursive: true, force: true })
}
