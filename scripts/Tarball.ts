/**
 * Packs what is published and installs it where no workspace helps it.
 */
import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { mkdtempSync, readdirSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"

const root = join(import.meta.dirname, "..")

/** A folder for tarballs and installations, with nothing of this repository above it. Whoever makes it removes it. */
export const workplace = (): string => mkdtempSync(join(tmpdir(), "effect-identity-packed-"))

/** Runs a command and answers with what it printed. Fails with that when the command does. */
export const run = async (
  command: string,
  args: ReadonlyArray<string>,
  options: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> }
): Promise<string> => {
  const { stdout } = await promisify(execFile)(command, [...args], {
    cwd: options.cwd,
    env: { ...process.env, ...options.env }
  })
  return stdout
}

/** A folder with these packages in it, and nothing above it. */
export const install = async (
  workplace: string,
  name: string,
  packages: ReadonlyArray<string>
): Promise<string> => {
  const folder = mkdtempSync(join(workplace, `${name}-`))
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }))
  await run("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error", ...packages], { cwd: folder })
  return folder
}

/** The path of the tarball of a package, which must have been built. */
export const pack = async (workplace: string, name: string): Promise<string> => {
  const before = new Set(readdirSync(workplace))
  await run("pnpm", ["pack", "--pack-destination", workplace], { cwd: join(root, "packages", name) })
  const tarball = readdirSync(workplace).find((file) => file.endsWith(".tgz") && !before.has(file))
  assert.ok(tarball, `no tarball of ${name}`)
  return join(workplace, tarball)
}
