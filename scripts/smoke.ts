/**
 * Installs the packed tarballs where no workspace helps them, and uses them there as their users will: by `import` and
 * by `require`, on every Node that is promised.
 */
import { Platform } from "@effect-identity/testing"
import { Effect, ManagedRuntime } from "effect"
import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"

const nodeVersions = ["22.19.0", "24.21.0", "26.10.0"]

const root = join(import.meta.dirname, "..")
const workplace = mkdtempSync(join(tmpdir(), "effect-identity-smoke-"))

const run = async (
  command: string,
  args: ReadonlyArray<string>,
  options: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> }
) => {
  const { stdout } = await promisify(execFile)(command, [...args], {
    cwd: options.cwd,
    env: { ...process.env, ...options.env }
  })
  return stdout
}

/** A folder with these packages in it, and nothing above it. */
const install = async (name: string, packages: ReadonlyArray<string>) => {
  const folder = mkdtempSync(join(workplace, `${name}-`))
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }))
  await run("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error", ...packages], { cwd: folder })
  return folder
}

const pack = async (name: string) => {
  const before = new Set(readdirSync(workplace))
  await run("pnpm", ["pack", "--pack-destination", workplace], { cwd: join(root, "packages", name) })
  const tarball = readdirSync(workplace).find((file) => file.endsWith(".tgz") && !before.has(file))
  assert.ok(tarball, `no tarball of ${name}`)
  return join(workplace, tarball)
}

const nodeOf = async (version: string) => {
  const name = `node-${process.platform}-${process.arch}`
  const folder = await install(`node-${version}`, [`${name}@${version}`])
  return join(folder, "node_modules", name, "bin/node")
}

const check = async () => {
  const runtime = ManagedRuntime.make(Platform.layer({
    credentials: { mail: "mail-credential" },
    variables: [{ key: "REGION", value: "cn-beijing" }]
  }))
  const platform = await runtime.runPromise(Platform.Platform)
  const seen = async () => (await Effect.runPromise(platform.requests)).length

  const [oauth, identity, client] = [await pack("oauth"), await pack("workload-identity"), await pack("client")]
  const [testing, api, issuer] = [await pack("testing"), await pack("api-client"), await pack("coze-issuer")]
  const facade = await install("facade", [client])
  assert.deepEqual(readdirSync(join(facade, "node_modules/@effect-identity")), ["client"])
  assert.deepEqual(readdirSync(join(facade, "node_modules")).filter((name) => !name.startsWith(".")), [
    "@effect-identity"
  ])
  const effect = ["effect@4.1.0", "@effect/platform-node@4.1.0"]
  const layers = await install("layers", [oauth, identity, testing, api, issuer, ...effect])

  for (const version of nodeVersions) {
    const node = await nodeOf(version)
    const { stdout } = await promisify(execFile)(node, ["--version"])
    assert.equal(stdout.trim(), `v${version}`)
    for (
      const [folder, program, requests] of [
        // Two for the token of all copies, one for the wrong secret: its refusal is remembered by all of them.
        [facade, "facade.mjs", 3],
        [facade, "facade.cjs", 2],
        [facade, "polluted.mjs", 4],
        [layers, "layers.mjs", 2],
        [layers, "testing.mjs", 0],
        [layers, "api-client.mjs", 0],
        [layers, "issuer.mjs", 0]
      ] as const
    ) {
      copyFileSync(join(root, "scripts/smoke", program), join(folder, program))
      const before = await seen()
      await run(node, [program], { cwd: folder, env: platform.env })
      assert.equal(await seen() - before, requests, `upstream requests of ${program}`)
      console.log(`Node ${version}: ${program} works, ${requests} upstream requests`)
    }
  }

  copyFileSync(join(root, "scripts/smoke/types.ts"), join(facade, "types.ts"))
  const strict = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--skipLibCheck", "false", "--types", ""]
  await run("tsc", [...strict, "--module", "nodenext", "--lib", "ES2024,DOM,ESNext.Disposable", "types.ts"], {
    cwd: facade
  })
  console.log("the facade's declarations satisfy a strict compiler")
  await runtime.dispose()
}

try {
  await check()
} finally {
  rmSync(workplace, { recursive: true, force: true })
}
