/**
 * Runs the page that walks from zero to a token as it stands there, block by block, in one shell. What is put in the place of
 * something else is the address of WeChat, and the port.
 */
import { WeChat } from "@effect-identity/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Ports from "../../../system/Ports.ts"

const root = join(import.meta.dirname, "../../..")
const page = readFileSync(join(root, "docs/token-server.md"), "utf8")
const section = page.slice(page.indexOf("## From zero to a token"), page.indexOf("## Settings"))

/** Commands, and what the page says they answer. */
const steps = [...section.matchAll(/```sh\n([\s\S]*?)```(?:\n\n```json\n([\s\S]*?)```)?/g)].map(
  ([, command = "", answer]) => ({ command, answer })
)

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "walkthrough-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

/** What comes out of a process, until it satisfies a condition. */
class Output {
  readonly child: ChildProcess
  text = ""
  constructor(child: ChildProcess) {
    this.child = child
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (chunk: string) => this.text += chunk)
    }
  }
  until(pattern: RegExp): Effect.Effect<RegExpExecArray> {
    const { child } = this
    return Effect.callback<RegExpExecArray>((resume) => {
      const settle = (result: Effect.Effect<RegExpExecArray>) => {
        for (const stream of [child.stdout, child.stderr]) stream?.off("data", look)
        child.off("close", ended)
        resume(result)
      }
      const ended = () => settle(Effect.die(new Error(`it ended: ${this.text}`)))
      const look = () => {
        const found = pattern.exec(this.text)
        if (found !== null) settle(Effect.succeed(found))
      }
      for (const stream of [child.stdout, child.stderr]) stream?.on("data", look)
      child.once("close", ended)
      look()
    })
  }
}

const stopped = (child: ChildProcess, signal: NodeJS.Signals) =>
  Effect.callback<number | null>((resume) => {
    if (child.exitCode !== null) return resume(Effect.succeed(child.exitCode))
    child.once("close", (code) => resume(Effect.succeed(code)))
    child.kill(signal)
  })

const start = (
  command: string,
  args: ReadonlyArray<string>,
  cwd: string,
  env: NodeJS.ProcessEnv
): Effect.Effect<Output, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => new Output(spawn(command, args, { cwd, env }))),
    ({ child }) => stopped(child, "SIGKILL")
  )

const volatile = "…"

/** Members that the page leaves open are compared by their being there. */
const compare = (given: unknown, expected: unknown): void => {
  assert.isObject(given)
  assert.isObject(expected)
  const shown = Object.entries(Object(expected))
  assert.deepStrictEqual(
    Object.fromEntries(
      Object.entries(Object(given)).map(([name, value]) =>
        shown.some(([other, shown]) => other === name && shown === volatile) ? [name, volatile] : [name, value]
      )
    ),
    Object.fromEntries(shown)
  )
}

describe("the page of the token server", () => {
  it.live("walks from zero to a token of WeChat, and on to its end", () =>
    Effect.gen(function*() {
      const weChat = yield* WeChat.WeChat
      const place = yield* folder
      const port = yield* Effect.promise(Ports.free)
      // The page starts the server through the package manager, which takes its time and may ask the registry.
      const npx = join(place, "npx")
      writeFileSync(npx, `#!/bin/sh\nexec "${process.execPath}" "${join(import.meta.dirname, "../src/bin.ts")}"\n`)
      chmodSync(npx, 0o755)
      const env = {
        ...process.env,
        PATH: `${place}:${process.env["PATH"]}`,
        TOKEN_SERVER_PORT: String(port)
      }
      const shell = yield* start("bash", [], place, env)
      let server: Output | undefined
      let key = ""
      let marks = 0

      const adapted = (command: string) =>
        command
          .replace("http://127.0.0.1:8787", `http://127.0.0.1:${port}`)
          .replace(
            "\"url\": \"https://api.weixin.qq.com/cgi-bin/token\",",
            `"url": "${weChat.tokenUrl}", "private_addresses": ["${new URL(weChat.origin).host}"],`
          )

      for (const { answer, command } of steps) {
        if (command.startsWith("npx ")) {
          if (server !== undefined) assert.strictEqual(yield* stopped(server.child, "SIGINT"), 0)
          server = yield* start("bash", ["-c", `exec ${command}`], place, env)
          yield* server.until(/"ready"/)
          if (key === "") [, key = ""] = yield* server.until(/first admin key, shown once: (\S+)/)
          continue
        }
        const from = shell.text.length
        const mark = `end of step ${++marks}`
        const typed = command.startsWith("read ") ? `${command}${key}\n` : adapted(command)
        shell.child.stdin?.write(`${typed}\necho; echo "${mark}"\n`)
        yield* shell.until(new RegExp(mark))
        if (answer === undefined) continue
        const given: unknown = JSON.parse(shell.text.slice(from, shell.text.indexOf(mark)).trim())
        compare(given, JSON.parse(answer))
      }

      // First, flushed, and after the rotation.
      assert.lengthOf(yield* weChat.issued, 3)
      assert.notInclude(server?.text ?? "", key)
    }).pipe(Effect.provide(WeChat.layer({ appId: "wx-app", appSecret: "the-secret-of-wx-app" }))))
})
