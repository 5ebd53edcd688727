import { NodeIssuer } from "@effect-identity/coze-issuer/node"
import { CozeOAuth, SecretSweep } from "@effect-identity/testing"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer } from "effect"
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { as, ask, callers, type Env, keys } from "./Entry.ts"

const layer = CozeOAuth.layer()

/** The program, in a process of its own, with nothing but this in its environment. */
const run = (env: Env) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn(process.execPath, [join(import.meta.dirname, "../src/node/bin.ts")], { env })
      let output = ""
      const exit = new Promise<number | null>((resolve) => child.once("close", resolve))
      const listening = new Promise<string | undefined>((resolve) => {
        for (const stream of [child.stdout, child.stderr]) {
          stream.on("data", (chunk) => {
            output += String(chunk)
            const origin = /http:\/\/[\w.:[\]]+:\d+/.exec(output)?.[0]
            if (origin !== undefined) resolve(origin)
          })
        }
        void exit.then(() => resolve(undefined))
      })
      return { child, exit, listening, output: () => output }
    }),
    ({ child, exit }) =>
      Effect.promise(() => {
        child.kill("SIGKILL")
        return exit
      })
  )

const refusal = (env: Env) =>
  Layer.build(NodeIssuer.layer).pipe(
    Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown({ PORT: "0", ...env })),
    Effect.flip,
    Effect.map(({ message }) => message)
  )

describe("the program", () => {
  it.live("says where it listens, gives tokens with the key in a file, and ends when it is told to", () =>
    Effect.gen(function*() {
      const coze = yield* CozeOAuth.CozeOAuth
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "issuer-"))),
        (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
      )
      writeFileSync(join(folder, "key.pem"), coze.privateKey)
      const { PRIVATE_KEY: _, ...env } = coze.env
      const program = yield* run({ ...env, ...callers, PORT: "0", PRIVATE_KEY_FILE: join(folder, "key.pem") })
      const origin = yield* Effect.promise(() => program.listening)
      assert.match(origin ?? program.output(), /^http:\/\/127\.0\.0\.1:\d+$/)
      assert.strictEqual((yield* ask(`${origin}/`, as(keys.any))).status, 200)
      program.child.kill("SIGTERM")
      assert.strictEqual(yield* Effect.promise(() => program.exit), 0)
      const secrets = Object.fromEntries(coze.privateKey.split("\n").slice(1, -2).entries())
      assert.deepStrictEqual(SecretSweep.find(program.output(), { ...secrets, key: keys.any }), [])
    }).pipe(Effect.provide(layer)))

  it.live("ends at once, with one line of what is wrong, where something is", () =>
    Effect.gen(function*() {
      const program = yield* run({ PORT: "0", CLIENT_ID: "app" })
      assert.strictEqual(yield* Effect.promise(() => program.exit), 1)
      assert.include(program.output(), "PRIVATE_KEY is missing")
      assert.notInclude(program.output(), "    at ")
    }))

  it.live("says that someone else listens where it should", () =>
    Effect.gen(function*() {
      const { env, tokenEndpoint } = yield* CozeOAuth.CozeOAuth
      const program = yield* run({ ...env, ...callers, PORT: new URL(tokenEndpoint).port })
      assert.strictEqual(yield* Effect.promise(() => program.exit), 1)
      assert.include(program.output(), "the issuer cannot listen on HOST and PORT: EADDRINUSE")
      assert.notInclude(program.output(), "    at ")
    }).pipe(Effect.provide(layer)))
})

describe("NodeEnvironment", () => {
  it.live("lets an open issuer listen on this machine only", () =>
    Effect.gen(function*() {
      const { env } = yield* CozeOAuth.CozeOAuth
      for (const HOST of ["0.0.0.0", "::", "192.0.2.1", "token.example.com"]) {
        assert.strictEqual(
          yield* refusal({ ...env, HOST, CALLER_AUTH: "open-on-loopback" }),
          "invalid configuration: HOST must be a loopback address while CALLER_AUTH is open-on-loopback"
        )
      }
    }).pipe(Effect.provide(layer)))

  it.live("says what is wrong with a port and a key file", () =>
    Effect.gen(function*() {
      const { env } = yield* CozeOAuth.CozeOAuth
      const { PRIVATE_KEY: _, ...keyless } = env
      assert.include(yield* refusal({ ...env, ...callers, PORT: "99999" }), "PORT must be a whole number")
      assert.include(
        yield* refusal({ ...env, ...callers, PRIVATE_KEY_FILE: "/x" }),
        "PRIVATE_KEY_FILE must not be set with"
      )
      for (const PRIVATE_KEY_FILE of ["/nowhere/at/all", tmpdir(), "/dev/zero"]) {
        assert.strictEqual(
          yield* refusal({ ...keyless, ...callers, PRIVATE_KEY_FILE }),
          "invalid configuration: PRIVATE_KEY_FILE is not a file that can be read"
        )
      }
    }).pipe(Effect.provide(layer)))
})
