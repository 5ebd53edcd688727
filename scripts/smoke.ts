/**
 * Installs the packed tarballs where no workspace helps them, and uses them there as their users will: by `import` and
 * by `require`, on every Node that is promised and on Bun.
 */
import { Platform } from "@effect-identity/testing"
import { Effect, ManagedRuntime } from "effect"
import assert from "node:assert/strict"
import { createHash, generateKeyPairSync } from "node:crypto"
import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Ports from "../system/Ports.ts"
import * as Bundlers from "./Bundlers.ts"
import * as Container from "./Container.ts"
import * as Tarball from "./Tarball.ts"

const nodeVersions = ["22.19.0", "24.21.0", "26.10.0"]

const root = join(import.meta.dirname, "..")
const workplace = Tarball.workplace()

const { run } = Tarball
const install = (name: string, packages: ReadonlyArray<string>) => Tarball.install(workplace, name, packages)
const pack = (name: string) => Tarball.pack(workplace, name)

const nodeOf = async (version: string) => {
  const name = `node-${process.platform}-${process.arch}`
  const folder = await install(`node-${version}`, [`${name}@${version}`])
  return join(folder, "node_modules", name, "bin/node")
}

/** Bun publishes its program by platform, too. */
const bunVersion = "1.4.5"

const bunOf = async (version: string) => {
  const name = `@oven/bun-${process.platform}-${process.arch === "arm64" ? "aarch64" : process.arch}`
  const folder = await install("bun", [`${name}@${version}`])
  return join(folder, "node_modules", name, "bin/bun")
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
  const server = await pack("token-server")
  const facade = await install("facade", [client])
  assert.deepEqual(readdirSync(join(facade, "node_modules/@effect-identity")), ["client"])
  assert.deepEqual(readdirSync(join(facade, "node_modules")).filter((name) => !name.startsWith(".")), [
    "@effect-identity"
  ])
  const facadeFiles = readdirSync(join(facade, "node_modules/@effect-identity/client"), {
    recursive: true,
    withFileTypes: true
  })
    .filter((entry) => entry.isFile()).map(({ name, parentPath }) => readFileSync(join(parentPath, name)))
  const size = facadeFiles.reduce((sum, { length }) => sum + length, 0)
  assert.ok(size <= 512 * 1024, `the facade takes ${size} bytes on disk`)
  assert.ok(!facadeFiles.some((content) => content.includes(root)), "the facade holds a path of this machine")
  const effect = ["effect@4.1.0", "@effect/platform-node@4.1.0"]
  const layers = await install("layers", [oauth, identity, testing, api, issuer, ...effect])
  const bundles = await Bundlers.bundle(workplace, join(root, "scripts/smoke/bundled.mjs"), [client])
  const servers = await install("servers", [oauth, testing, server, ...effect])

  const runtimes = [
    ...nodeVersions.map((version) => ["Node", version, nodeOf] as const),
    ["Bun", bunVersion, bunOf] as const
  ]
  for (const [kind, version, programOf] of runtimes) {
    const program = await programOf(version)
    assert.equal((await run(program, ["--version"], { cwd: workplace })).trim().replace(/^v/, ""), version)
    for (
      const [folder, name, requests] of [
        // Two for the token of all copies, one for the wrong secret: its refusal is remembered by all of them.
        [facade, "facade.mjs", 3],
        [facade, "facade.cjs", 2],
        [facade, "polluted.mjs", 4],
        [layers, "layers.mjs", 2],
        [layers, "testing.mjs", 0],
        [layers, "api-client.mjs", 0],
        [layers, "issuer.mjs", 0],
        [servers, "token-server.mjs", 0]
      ] as const
    ) {
      // Its SQLite is that of Node.
      if (kind === "Bun" && folder === servers) continue
      copyFileSync(join(root, "scripts/smoke", name), join(folder, name))
      const before = await seen()
      await run(program, [name], { cwd: folder, env: platform.env })
      assert.equal(await seen() - before, requests, `upstream requests of ${name}`)
      console.log(`${kind} ${version}: ${name} works, ${requests} upstream requests`)
    }
    for (const { file, folder, name } of bundles) {
      const before = await seen()
      await run(program, [file], { cwd: folder, env: platform.env })
      assert.equal(await seen() - before, 3, `upstream requests of the facade bundled with ${name}`)
      console.log(`${kind} ${version}: the facade bundled with ${name} works, 3 upstream requests`)
    }
  }
  await runtime.dispose()

  const node = await nodeOf("24.21.0")
  const port = String(await Ports.free())
  const PRIVATE_KEY_FILE = join(workplace, "private_key.pem")
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
  writeFileSync(PRIVATE_KEY_FILE, privateKey.export({ type: "pkcs8", format: "pem" }))
  const CALLER_API_KEYS = `smoke:${createHash("sha256").update("smoke-key").digest("hex")}:sessions`
  for (
    const [name, tarballs, env] of [
      ["token-server", [oauth, server], { TOKEN_SERVER_PORT: port }],
      ["coze-issuer", [oauth, issuer], { PORT: port, CLIENT_ID: "app", KID: "key", PRIVATE_KEY_FILE, CALLER_API_KEYS }]
    ] as const
  ) {
    await Container.check(join(root, "packages", name, "Dockerfile"), { workplace, tarballs, node, env })
    console.log(`what the Dockerfile of ${name} says works`)
  }
}

try {
  await check()
} finally {
  rmSync(workplace, { recursive: true, force: true })
}
