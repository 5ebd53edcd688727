// A plain program that loads the facade in every way there is. It runs where only the packed tarball is installed.
import * as imported from "@effect-identity/client"
import assert from "node:assert/strict"
import { cpSync } from "node:fs"
import { createRequire } from "node:module"
import { basename, dirname, join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"

const required = createRequire(import.meta.url)("@effect-identity/client")

const original = fileURLToPath(import.meta.resolve("@effect-identity/client"))
const copy = `${dirname(original)}-copy`
cpSync(dirname(original), copy, { recursive: true })
const copied = await import(pathToFileURL(join(copy, basename(original))).href)
const forBundlers = await import(pathToFileURL(join(copy, "index.js")).href)

assert.notEqual(copied.Client, imported.Client, "the copy is a module of its own")

const tokens = await Promise.all(
  [imported, required, copied, forBundlers].flatMap(({ Client }) => {
    const client = new Client()
    return Array.from({ length: 100 }, () => client.getAccessToken())
  })
)
assert.equal(new Set(tokens).size, 1, "all of them share one token")

process.env.COZE_WORKLOAD_IDENTITY_CLIENT_SECRET = "wrong"
for (const one of [imported, required, copied, forBundlers]) {
  const error = await new one.Client().getAccessToken().catch((error) => error)
  for (const other of [imported, required, copied, forBundlers]) {
    assert.ok(error instanceof other.TokenRetrievalError, "errors are known across copies")
    assert.ok(error instanceof other.WorkloadIdentityError)
    assert.ok(!(error instanceof other.TokenExchangeError))
  }
}

delete process.env.COZE_WORKLOAD_IDENTITY_CLIENT_SECRET
for (const { Client, ConfigurationError } of [imported, required, copied, forBundlers]) {
  assert.throws(() => new Client(), ConfigurationError)
}

assert.equal(required.envKeys.COZE_SERVER_ENV, "COZE_SERVER_ENV")
