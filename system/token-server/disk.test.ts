/**
 * A disk without room.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as KillingIssuer from "./KillingIssuer.ts"
import * as Server from "./Server.ts"
import * as Storage from "./Storage.ts"

/** A folder on a disk of its own. */
const smallDisk = (size: string) =>
  Effect.acquireRelease(
    Effect.map(Storage.folder, (path) => {
      execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", path])
      return path
    }),
    (path) => Effect.sync(() => execFileSync("umount", ["-l", path]))
  )

const fill = (path: string) => {
  for (let size = 1024 * 1024; size >= 512; size /= 2) {
    for (let nth = 0; nth < 64; nth++) {
      try {
        writeFileSync(join(path, `filler-${size}-${nth}`), Buffer.alloc(size))
      } catch {
        break
      }
    }
  }
}

const realm = (origin: string, id: string, killing: boolean) => ({
  id,
  config: {
    url: `${origin}/`,
    method: "GET",
    arguments: [{ name: "secret", place: "url", value: "$key_1" }],
    token_path: "access_token",
    expires_in_path: "expires_in",
    ...killing ? { overlap_ms: 300_000 } : {},
    private_addresses: [new URL(origin).host]
  }
})

describe("a full disk", () => {
  it.live("refuses changes, and neither withholds nor loses a token", () =>
    Effect.gen(function*() {
      const issuer = yield* KillingIssuer.make({ life: 3_600_000, overlap: 300_000, pause: 0 })
      const path = yield* smallDisk("4m")
      const port = yield* Server.freePort
      const env = { TOKEN_SERVER_DATA: path }
      const server = yield* Server.start(port, env)
      const key = Server.adminKey(server)
      const ask = (...args: [method: "GET" | "POST", path: string, body?: unknown]) =>
        Effect.promise(() => Server.ask(port, key, ...args))
      for (const [id, killing] of [["independent", false], ["killing", true]] as const) {
        assert.strictEqual((yield* ask("POST", "/api/realm", realm(issuer.origin, id, killing))).status, 200)
        for (const secret of ["held", "cold"]) {
          const saved = yield* ask("POST", "/api/secret", {
            realm: id,
            key: secret,
            key_1: `secret-of-${id}-${secret}`
          })
          assert.strictEqual(saved.status, 200)
        }
      }
      const token = (id: string, secret: string) => Effect.promise(() => Server.token(port, key, id, secret))
      const held = [yield* token("independent", "held"), yield* token("killing", "held")]

      fill(path)
      const isRefused = (answer: Server.Answer) => answer.status === 503
      let refused = 0
      for (let nth = 0; nth < 20; nth++) {
        const written = yield* ask("POST", "/api/secret", {
          realm: "independent",
          key: `new-${nth}`,
          key_1: "x".repeat(8000)
        })
        if (isRefused(written)) refused++
      }
      assert.isAbove(refused, 0)
      const [independent, killing] = [yield* token("independent", "held"), yield* token("killing", "held")]
      assert.deepStrictEqual([independent.body["token"], killing.body["token"]], held.map(({ body }) => body["token"]))
      // Nobody else can be told of it, so it is asked for where that ends nobody's token.
      const alone = yield* token("independent", "cold")
      assert.strictEqual(alone.status, 200, JSON.stringify(alone.body))
      assert.isFalse(alone.body["persisted"])
      assert.isTrue(isRefused(yield* token("killing", "cold")))

      execFileSync("sh", ["-c", `rm -f ${path}/filler-*`])
      yield* Server.kill(server)
      rmSync(join(path, "filler"), { force: true })
      const again = yield* Server.start(port, env)
      assert.isAbove(again.pid, 0)
      const stored = [yield* token("independent", "held"), yield* token("killing", "held")]
      assert.deepStrictEqual(stored.map(({ body }) => body["token"]), held.map(({ body }) => body["token"]))
      assert.deepStrictEqual(stored.map(({ body }) => body["source"]), ["database", "database"])
      const recovered = yield* ask("POST", "/api/secret", {
        realm: "killing",
        key: "later",
        key_1: "a-secret-after-all"
      })
      assert.strictEqual(recovered.status, 200)
    }), 120_000)
})
