/**
 * Runs every numbered example that is a program, in a world on loopback. Fails when one of them does.
 */
import { NodeRuntime } from "@effect/platform-node"
import { Console, Data, Effect } from "effect"
import { spawn } from "node:child_process"
import { readdirSync } from "node:fs"
import * as World from "./World.ts"

class ExampleFailed
  extends Data.TaggedError("ExampleFailed")<{ readonly example: string; readonly code: number | null }>
{
  override get message(): string {
    return `${this.example} exited with ${this.code}`
  }
}

const run = (example: string, env: Readonly<Record<string, string>>) =>
  Effect.callback<void, ExampleFailed>((resume) => {
    const child = spawn(process.execPath, [example], {
      cwd: import.meta.dirname,
      env: { ...process.env, ...env },
      stdio: "inherit"
    })
    child.once("close", (code) => resume(code === 0 ? Effect.void : Effect.fail(new ExampleFailed({ example, code }))))
    return Effect.sync(() => child.kill())
  })

const program = Effect.gen(function*() {
  const env = yield* World.make
  const examples = readdirSync(import.meta.dirname).filter((name) => /^\d.*(?<!\.test)\.(ts|cjs)$/.test(name))
    .toSorted()
  for (const example of examples) {
    yield* Console.log(`${example}`)
    yield* run(example, env)
  }
  yield* Console.log(`${examples.length} examples ran`)
})

NodeRuntime.runMain(Effect.provide(Effect.scoped(program), World.layer))
