/**
 * What lies on disks after a server has worked: no secret, and no token.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import * as KillingIssuer from "./KillingIssuer.ts"
import * as Server from "./Server.ts"
import * as Storage from "./Storage.ts"

/** A part of that length gives a secret away. */
const telling = 12

/** The secrets of which a part stands somewhere below a folder, or in a text. */
const foundIn = (folder: string, text: string, secrets: ReadonlyArray<string>): ReadonlyArray<string> => {
  const strings = execFileSync(
    "sh",
    ["-c", `find . -type f -print0 | xargs -0 strings -a -n ${telling}`],
    { cwd: folder, encoding: "utf8", maxBuffer: 1024 ** 3 }
  )
  const everything = `${strings}\n${text}`
  const formsOf = (secret: string) => [
    secret,
    Buffer.from(secret).toString("hex"),
    Buffer.from(secret).toString("base64").replace(/=*$/, ""),
    encodeURIComponent(secret)
  ]
  return secrets.filter((secret) =>
    formsOf(secret).some((form) =>
      Array.from({ length: form.length - telling + 1 }, (_, at) => form.slice(at, at + telling))
        .some((part) => everything.includes(part))
    )
  )
}

const work = Effect.fnUntraced(function*(env: Readonly<Record<string, string>>) {
  const issuer = yield* KillingIssuer.make({ life: 3_600_000, overlap: 300_000, pause: 0 })
  const port = yield* Server.freePort
  const server = yield* Server.start(port, env)
  const key = Server.adminKey(server)
  const ask = (...args: [method: "DELETE" | "GET" | "POST", path: string, body?: unknown]) =>
    Effect.promise(() => Server.ask(port, key, ...args))
  const saved = yield* ask("POST", "/api/realm", {
    id: "wx",
    config: {
      preset: "wechat",
      url: `${issuer.origin}/cgi-bin/token`,
      private_addresses: [new URL(issuer.origin).host]
    }
  })
  assert.strictEqual(saved.status, 200, JSON.stringify(saved.body))
  const secrets = Array.from({ length: 6 }, () => randomBytes(24).toString("base64url"))
  for (const [nth, secret] of secrets.entries()) {
    const made = yield* ask("POST", "/api/secret", {
      realm: "wx",
      key: `app-${nth % 3}`,
      key_1: `id-${nth}`,
      key_2: secret
    })
    assert.strictEqual(made.status, 200, JSON.stringify(made.body))
  }
  for (const flush of ["", "&flush=true"]) {
    for (const nth of [0, 1, 2]) {
      assert.strictEqual((yield* ask("GET", `/api/token?realm=wx&key=app-${nth}${flush}`)).status, 200)
    }
  }
  const reported = yield* ask("POST", "/api/token/report", {
    realm: "wx",
    key: "app-1",
    token: issuer.issued.at(-2)?.token ?? ""
  })
  assert.strictEqual(reported.status, 200, JSON.stringify(reported.body))
  assert.strictEqual((yield* ask("DELETE", "/api/secret/wx/app-2")).status, 204)
  const keys = [key, ...Object.values(env).filter((value) => value.startsWith("k1:")).map((value) => value.slice(3))]
  return {
    server,
    hidden: [...secrets, ...issuer.issued.map(({ token }) => token.replace(/^issued-\d+-/, "")), ...keys]
  }
})

/** The key is shown once, where it belongs: to whoever started the server. */
const logOf = (server: Server.Server): string => server.output().replaceAll(Server.adminKey(server), "")

describe("after a server has worked, and was killed", () => {
  it.live("no secret lies in the files of SQLite, nor in the log", () =>
    Effect.gen(function*() {
      const folder = yield* Storage.folder
      const { hidden, server } = yield* work({ TOKEN_SERVER_DATA: folder, ...Storage.masterKeys() })
      yield* Server.kill(server)
      assert.deepStrictEqual(foundIn(folder, logOf(server), hidden), [])
      writeFileSync(join(folder, "planted"), `\u0000${hidden[0]}\u0000`)
      assert.deepStrictEqual(foundIn(folder, logOf(server), hidden), hidden.slice(0, 1))
    }), 120_000)

  it.live("no secret lies in the files of PostgreSQL, nor in its log of all statements", () =>
    Effect.gen(function*() {
      const { env, server: postgres } = yield* Storage.postgres({
        log_statement: "all",
        log_parameter_max_length: "-1"
      })
      const { hidden, server } = yield* work(env)
      yield* Server.kill(server)
      assert.include(postgres.log(), "INSERT INTO")
      assert.deepStrictEqual(foundIn(postgres.folder, logOf(server) + postgres.log(), hidden), [])
      writeFileSync(join(postgres.folder, "planted"), `\u0000${hidden[0]}\u0000`)
      assert.deepStrictEqual(foundIn(postgres.folder, "", hidden), hidden.slice(0, 1))
    }), 120_000)
})
