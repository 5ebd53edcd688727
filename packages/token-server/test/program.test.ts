/**
 * The program, in a process of its own, with nothing but what a test says in its environment.
 */
import { SecretSweep } from "@effect-identity/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import { connect, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { send } from "./Server.ts"

type Env = Readonly<Record<string, string>>

const bin = join(import.meta.dirname, "../src/bin.ts")

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "program-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

const keyIn = (stdout: string): string => /tsk_[\w-]{43}/.exec(stdout)?.[0] ?? ""

const start = (env: Env, args: ReadonlyArray<string> = []) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn(process.execPath, [bin, ...args], { env: { TOKEN_SERVER_PORT: "0", ...env } })
      const written = { stdout: "", stderr: "" }
      child.stdout.setEncoding("utf8").on("data", (chunk: string) => written.stdout += chunk)
      const firstKey = new Promise<string>((resolve) =>
        child.stdout.on("data", () => {
          const key = keyIn(written.stdout)
          if (key !== "") resolve(key)
        })
      )
      const exit = new Promise<number | null>((resolve) => child.once("close", resolve))
      const ready = new Promise<number | undefined>((resolve) => {
        child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
          written.stderr += chunk
          const port = /listening on http:\/\/127\.0\.0\.1:(\d+)[\s\S]*"ready"/.exec(written.stderr)?.[1]
          if (port !== undefined) resolve(Number(port))
        })
        void exit.then(() => resolve(undefined))
      })
      return { child, exit, firstKey, ready, written }
    }),
    ({ child, exit }) =>
      Effect.promise(() => {
        child.kill("SIGKILL")
        return exit
      })
  )

/** Runs it to its end. */
const run = (env: Env, ...args: ReadonlyArray<string>) =>
  Effect.scoped(
    Effect.flatMap(start(env, args), ({ exit, written }) =>
      Effect.map(
        Effect.promise(() => exit),
        (code) => ({ code, ...written })
      ))
  )

const collector = Effect.acquireRelease(
  Effect.callback<{ readonly url: string; readonly received: Map<string, string>; readonly close: () => void }>(
    (resume) => {
      const received = new Map<string, string>()
      const server = createServer((request, response) => {
        const path = request.url ?? ""
        request.setEncoding("utf8").on(
          "data",
          (chunk: string) => received.set(path, (received.get(path) ?? "") + chunk)
        )
        request.on("end", () => response.writeHead(200, { "content-type": "application/json" }).end("{}"))
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" ? address?.port : 0
        resume(Effect.succeed({
          url: `http://127.0.0.1:${port}`,
          received,
          close: () => {
            server.close()
            server.closeAllConnections()
          }
        }))
      })
    }
  ),
  ({ close }) => Effect.sync(close)
)

describe("token-server", () => {
  it.live("starts with nothing set, shows its first key once and not in the log, and ends in order when it is told to", () =>
    Effect.gen(function*() {
      const TOKEN_SERVER_DATA = join(yield* folder, "data")
      const first = yield* start({ TOKEN_SERVER_DATA })
      const port = (yield* Effect.promise(() => first.ready)) ?? 0
      const key = yield* Effect.promise(() => first.firstKey)
      assert.strictEqual(first.written.stdout, `first admin key, shown once: ${key}\n`)
      assert.strictEqual((yield* send(port, { path: "/healthz" })).status, 200)
      assert.strictEqual((yield* send(port, { path: "/api/key", key })).status, 200)
      first.child.kill("SIGTERM")
      assert.strictEqual(yield* Effect.promise(() => first.exit), 0)
      assert.deepStrictEqual(SecretSweep.find(first.written.stderr, { key }), [])
      for (const line of first.written.stderr.trim().split("\n")) assert.isObject(JSON.parse(line))

      const keys = join(TOKEN_SERVER_DATA, "master-keys")
      assert.strictEqual(statSync(keys).mode & 0o777, 0o600)
      const second = yield* start({ TOKEN_SERVER_DATA })
      yield* Effect.promise(() => second.ready)
      second.child.kill("SIGINT")
      assert.strictEqual(yield* Effect.promise(() => second.exit), 0)
      assert.strictEqual(second.written.stdout, "")
      const [, masterKey = ""] = readFileSync(keys, "utf8").trim().split(":")
      assert.deepStrictEqual(SecretSweep.find(first.written.stderr + second.written.stderr, { masterKey }), [])
    }))

  it.live("refuses to start with master keys that are not those of its database", () =>
    Effect.gen(function*() {
      const TOKEN_SERVER_DATA = join(yield* folder, "data")
      assert.strictEqual((yield* run({ TOKEN_SERVER_DATA }, "keys", "list")).code, 0)
      const keys = join(TOKEN_SERVER_DATA, "master-keys")
      const [id = ""] = readFileSync(keys, "utf8").split(":")

      writeFileSync(keys, `${id}:${Buffer.alloc(32, 1).toString("base64")}`)
      const wrong = yield* run({ TOKEN_SERVER_DATA })
      assert.include(wrong.stderr, `the key ${id} is not the one that this database knows`)
      writeFileSync(keys, `other:${Buffer.alloc(32, 1).toString("base64")}`)
      const other = yield* run({ TOKEN_SERVER_DATA })
      assert.include(other.stderr, `must stay in the ring until it is sealed anew: ${id}`)
      assert.deepStrictEqual([wrong.code, other.code], [1, 1])
    }))

  it.live("makes up no master keys for a database that has lost its own", () =>
    Effect.gen(function*() {
      const TOKEN_SERVER_DATA = yield* folder
      writeFileSync(join(TOKEN_SERVER_DATA, "token-server.sqlite"), "")
      const lost = yield* run({ TOKEN_SERVER_DATA })
      assert.strictEqual(lost.code, 1)
      assert.include(lost.stderr, "the data folder holds a database, but not its master-keys")
    }))

  it.live("makes, lists and revokes keys", () =>
    Effect.gen(function*() {
      const env = { TOKEN_SERVER_DATA: join(yield* folder, "data") }
      const made = yield* run(env, "keys", "create", "--role", "reader", "--name", "my app", "--realm", "wxgzh")
      assert.match(made.stdout, /^tsk_[\w-]{43}\n$/)
      const [id = "", ...rest] = (yield* run(env, "keys", "list")).stdout.trim().split("\t")
      assert.deepStrictEqual(rest, ["reader", "wxgzh", "in use", "my app"])
      assert.strictEqual((yield* run(env, "keys", "revoke", id)).code, 0)
      assert.include((yield* run(env, "keys", "list")).stdout, "revoked ")
    }))

  it.live("replaces master keys, after which the old ones are not needed any more", () =>
    Effect.gen(function*() {
      const env = { TOKEN_SERVER_DATA: join(yield* folder, "data") }
      assert.strictEqual((yield* run(env, "keys", "list")).code, 0)
      assert.strictEqual((yield* run(env, "master-key", "rotate")).code, 0)
      assert.strictEqual((yield* run(env, "master-key", "reseal")).stdout, "1 rows sealed anew\n")
      const file = join(env.TOKEN_SERVER_DATA, "master-keys")
      writeFileSync(file, readFileSync(file, "utf8").split("\n")[0] ?? "")
      assert.strictEqual((yield* run(env, "keys", "list")).code, 0)
    }))

  it.live("says in one line what a command fails with", () =>
    Effect.gen(function*() {
      const env = { TOKEN_SERVER_DATA: join(yield* folder, "data") }
      assert.include(yield* run(env, "keys", "revoke", "nobody"), {
        code: 1,
        stderr: "token-server: no such API key\n"
      })
      assert.include(yield* run({ TOKEN_SERVER_PORT: "many" }, "keys", "list"), {
        code: 1,
        stderr: "token-server: invalid configuration: TOKEN_SERVER_PORT must be a whole number from 0 to 65535\n"
      })
      const create = ["keys", "create", "--role", "reader"] as const
      assert.include(
        (yield* run(env, ...create, "--name", "app", "--realm", "a,b")).stderr,
        "--realm: \"a,b\". Expected: Schema validation failed: must be 1 to 50 letters, digits, dots"
      )
      assert.include((yield* run(env, ...create, "--name", "")).stderr, "must be 1 to 100 characters")
    }))

  it.live("sends spans, metrics and logs to a collector where one is named", () =>
    Effect.gen(function*() {
      const { received, url } = yield* collector
      const server = yield* start({
        TOKEN_SERVER_DATA: join(yield* folder, "data"),
        OTEL_EXPORTER_OTLP_ENDPOINT: url
      })
      const port = (yield* Effect.promise(() => server.ready)) ?? 0
      const key = yield* Effect.promise(() => server.firstKey)
      yield* send(port, { path: "/api/realm", key })
      server.child.kill("SIGTERM")
      assert.strictEqual(yield* Effect.promise(() => server.exit), 0)
      assert.include(received.get("/v1/logs"), "listening on")
      assert.include(received.get("/v1/metrics"), "http.server.request.duration")
      assert.include(received.get("/v1/traces"), "\"name\":")
      assert.include(received.get("/v1/traces"), "token-server")
      assert.deepStrictEqual(SecretSweep.find([...received.values()].join("\n"), { key }), [])
    }))

  it.live("ends at once at a second signal, whatever is under way", () =>
    Effect.gen(function*() {
      const server = yield* start({ TOKEN_SERVER_DATA: join(yield* folder, "data") })
      const port = (yield* Effect.promise(() => server.ready)) ?? 0
      const key = yield* Effect.promise(() => server.firstKey)
      const unfinished = `POST /api/realm HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${key}\r\n`
        + "content-type: application/json\r\ncontent-length: 10\r\n\r\n{"
      const socket = yield* Effect.acquireRelease(
        Effect.callback<Socket>((resume) => {
          const socket = connect(
            port,
            "127.0.0.1",
            () => socket.write(unfinished, () => resume(Effect.succeed(socket)))
          )
          socket.on("error", () => {})
        }),
        (socket) => Effect.sync(() => socket.destroy())
      )
      const draining = new Promise<void>((resolve) =>
        server.child.stderr.on("data", () => {
          if (server.written.stderr.includes("draining")) resolve()
        })
      )
      server.child.kill("SIGTERM")
      yield* Effect.promise(() => draining)
      server.child.kill("SIGTERM")
      assert.strictEqual(yield* Effect.promise(() => server.exit), 1)
      assert.isFalse(socket.destroyed && socket.bytesRead > 0)
    }))
})
