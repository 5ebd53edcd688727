import { Environment, Problem } from "@effect-identity/coze-issuer"
import { OAuthError } from "@effect-identity/oauth"
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { builtinModules } from "node:module"
import { join } from "node:path"
import * as WorkerBundle from "../../../scripts/WorkerBundle.ts"
import { wrangler } from "./Entry.ts"

describe("the Worker", () => {
  it("is one file of at most 60 kB compressed, without anything of Node", async () => {
    const { code, gzip } = await WorkerBundle.make(join(import.meta.dirname, "../src/worker.ts"))
    assert.isAtMost(gzip, 60_000)
    assert.notMatch(code, /\bfrom\s*["']|\brequire\(|\bimport\s*\(|["'`]node:/)
    assert.isFalse(builtinModules.some((name) => code.includes(`"node:${name}"`)))
  })

  it("is not made when it imports what only Node has", async () => {
    const made = WorkerBundle.make(join(import.meta.dirname, "../src/node/bin.ts"))
    assert.match(String(await made.catch((error: unknown) => error)), /the worker imports what only Node has/)
  })

  it("is deployed without a compatibility mode, and with variables that are known", () => {
    assert.notProperty(wrangler, "compatibility_flags")
    const names: ReadonlyArray<string> = [...Object.values(Environment.appNames), Environment.CALLER_API_KEYS]
    assert.includeMembers([...names], Object.keys(Object(wrangler["vars"])))
    assert.notProperty(wrangler["vars"], "PRIVATE_KEY")
  })
})

describe("the Dockerfile", () => {
  const versionOf = (path: string): string => JSON.parse(readFileSync(join(import.meta.dirname, path), "utf8")).version

  it("installs this version, with the ones that it is tested with", () => {
    const installs = readFileSync(join(import.meta.dirname, "../Dockerfile"), "utf8")
    for (
      const [name, version] of [
        ["@effect-identity/coze-issuer", versionOf("../package.json")],
        ["effect", versionOf("../node_modules/effect/package.json")],
        ["@effect/platform-node", versionOf("../node_modules/@effect/platform-node/package.json")]
      ]
    ) assert.include(installs, ` ${name}@${version}`)
  })
})

describe("Problem", () => {
  const of = (reason: OAuthError.Reason, operation: OAuthError.OAuthError["operation"] = "jwtBearer") =>
    Problem.fromOAuthError(new OAuthError.OAuthError({ operation, reason, requestId: "log" }))

  for (
    const [reason, code, status] of [
      [new OAuthError.Transport({ detail: "reset" }), "upstream_unreachable", 502],
      [new OAuthError.Tls({ detail: "expired" }), "upstream_unreachable", 502],
      [new OAuthError.Proxy({ detail: "status", status: 502 }), "upstream_unreachable", 502],
      [new OAuthError.Timeout({ detail: "headers" }), "upstream_timeout", 504],
      [new OAuthError.Status({ status: 404 }), "upstream_status", 502],
      [new OAuthError.InvalidResponse({ status: 200, detail: "json" }), "upstream_invalid_answer", 502],
      [new OAuthError.Closed(), "shutting_down", 503],
      [new OAuthError.Unexpected({ defect: "TypeError" }), "internal_error", 500]
    ] as const
  ) {
    it(`tells ${reason._tag} by ${status} ${code}`, () => {
      assert.deepStrictEqual([of(reason).code, of(reason).status, of(reason).logId], [code, status, "log"])
    })
  }

  it("tells a flight that outlives its own deadline from one that is slow", () => {
    const timeout = new OAuthError.Timeout({ detail: "total" })
    assert.strictEqual(of(timeout, "tokenCache").code, "upstream_stalled")
  })
})
