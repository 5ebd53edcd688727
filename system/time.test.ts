import { Answer, Platform } from "@effect-identity/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Child from "./Child.ts"

const start = (program: string, options: Parameters<typeof Child.start>[1]) =>
  Effect.acquireRelease(
    Effect.sync(() => Child.start(program, options)),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )

const ask = (child: Child.Child, command: string) => Effect.promise(() => child.ask(command))

const library = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"

/** A workload whose wall clock is moved from outside, while its monotonic clock stays the real one. */
const withFakeClock = Effect.gen(function*() {
  const platform = yield* Platform.Platform
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "clock-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true }))
  )
  const file = join(folder, "offset")
  const setAhead = (seconds: number) => Effect.sync(() => writeFileSync(file, `${seconds < 0 ? "" : "+"}${seconds}\n`))
  yield* setAhead(0)
  const child = yield* start("workload.ts", {
    env: {
      ...platform.env,
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1"
    }
  })
  return { child, platform, setAhead }
})

describe("a clock that is set", () => {
  it.live("ahead by two hours costs one new token", () =>
    Effect.gen(function*() {
      const { child, platform, setAhead } = yield* withFakeClock
      const { value: first } = yield* ask(child, "token")
      yield* setAhead(7200)
      const { value: second } = yield* ask(child, "token")
      for (let read = 0; read < 100; read++) assert.strictEqual((yield* ask(child, "token")).value, second)
      assert.notStrictEqual(first, second)
      assert.lengthOf(yield* platform.requests, 4)
    }).pipe(Effect.provide(Platform.layer())))

  it.live("back by a day neither costs a token nor makes one live longer", () =>
    Effect.gen(function*() {
      const { child, platform, setAhead } = yield* withFakeClock
      const { value: first } = yield* ask(child, "token")
      yield* setAhead(-86_400)
      for (let read = 0; read < 100; read++) assert.strictEqual((yield* ask(child, "token")).value, first)
      assert.lengthOf(yield* platform.requests, 2)
      // The life of the token, by the clock that nobody can set.
      yield* Effect.sleep("3 seconds")
      const { value: second } = yield* ask(child, "token")
      assert.notStrictEqual(first, second)
      assert.lengthOf(yield* platform.requests, 4)
    }).pipe(Effect.provide(Platform.layer({ lifetime: "3 seconds" }))))
})

describe("a process that is stopped for twice the life of its token", () => {
  it.live("asks for another one before it uses any", () =>
    Effect.gen(function*() {
      const platform = yield* Platform.Platform
      const child = yield* start("workload.ts", { env: platform.env })
      const { value: first } = yield* ask(child, "token")
      child.kill("SIGSTOP")
      yield* Effect.sleep("4 seconds")
      yield* platform.revokeTokens
      child.kill("SIGCONT")
      assert.deepInclude(yield* ask(child, "variables"), { value: 0 })
      const steps = (yield* platform.requests).map(({ step }) => step)
      assert.deepStrictEqual(steps, ["idToken", "accessToken", "idToken", "accessToken", "projectEnvVars"])
      assert.notStrictEqual((yield* ask(child, "token")).value, first)
    }).pipe(Effect.provide(Platform.layer({ lifetime: "2 seconds" }))))
})

describe("packets that are dropped", () => {
  it.live("end in a timeout while connecting, in time", () =>
    Effect.gen(function*() {
      const rules = [
        "ip link set lo up",
        "nft add table inet t",
        "nft add chain inet t input '{ type filter hook input priority 0 ; }'",
        "nft add rule inet t input tcp dport 9999 drop",
        "exec \"$0\" \"$@\""
      ]
      const endpoint = "http://127.0.0.1:9999/token"
      const child = yield* start("workload.ts", {
        before: ["unshare", "--net", "sh", "-ec", rules.join(" && ")],
        env: {
          COZE_WORKLOAD_IDENTITY_CLIENT_ID: "app",
          COZE_WORKLOAD_IDENTITY_CLIENT_SECRET: "client-secret",
          COZE_WORKLOAD_IDENTITY_TOKEN_ENDPOINT: endpoint,
          COZE_WORKLOAD_ACCESS_TOKEN_ENDPOINT: endpoint
        }
      })
      const { error, millis } = yield* ask(child, "token")
      assert.strictEqual(error, "Timeout(connect)")
      // Three attempts of half a second, and the pauses between them.
      assert.isAtLeast(millis ?? 0, 1500)
      assert.isAtMost(millis ?? Infinity, 1500 + 750 + 500)
    }))
})

describe("a program that closes nothing", () => {
  for (
    const [what, options, pause] of [
      ["has got a token", {}, 0],
      ["holds a token that is being replaced by an issuer that never answers", { lifetime: "4 seconds" }, 3000]
    ] as const
  ) {
    it.live(`ends by itself within a second when it ${what}`, () =>
      Effect.gen(function*() {
        const platform = yield* Platform.Platform
        const child = yield* start("brief.ts", { args: [String(pause)], env: platform.env })
        yield* platform.requestsUntil((requests) =>
          requests.filter(({ outcome }) => outcome === "answered").length === 2
        )
        yield* platform.behave({ delay: "1 hour" })
        assert.strictEqual(yield* Effect.promise(() => child.nextLine()), "done")
        const doneAt = performance.now()
        const { at, code } = yield* Effect.promise(() => child.ended)
        assert.strictEqual(code, 0)
        assert.isBelow(at - doneAt, 1000)
        assert.lengthOf(yield* platform.requests, pause === 0 ? 2 : 3)
      }).pipe(Effect.provide(Platform.layer(options))))
  }

  it.live("goes on, and hands out what it has, when a replacement fails that nobody waits for", () =>
    Effect.gen(function*() {
      const platform = yield* Platform.Platform
      const child = yield* start("workload.ts", { env: platform.env })
      const { value: first } = yield* ask(child, "token")
      yield* platform.script("idToken", Answer.body("", { status: 503 }))
      yield* Effect.sleep("1600 millis")
      assert.strictEqual((yield* ask(child, "token")).value, first)
      yield* platform.requestsUntil((requests) => requests[2]?.outcome === "answered")
      const { error, unhandled, value } = yield* ask(child, "token")
      assert.deepStrictEqual([value, error, unhandled], [first, undefined, undefined])
    }).pipe(Effect.provide(Platform.layer({ lifetime: "3 seconds" }))))
})
