/**
 * Checks what the documentation says: every TypeScript block of the pages and of the doc comments is compiled, then run
 * where a platform is at hand, and each `expression // => value` in it must hold.
 */
import { Platform } from "@effect-identity/testing"
import { ManagedRuntime } from "effect"
import { execFile } from "node:child_process"
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join, relative } from "node:path"
import { promisify } from "node:util"

const root = join(import.meta.dirname, "..")
// Below the examples, so that the packages are found the way a reader's program finds them.
const target = join(root, "examples/build/docs")

interface Block {
  readonly name: string
  readonly code: string
}

const fenced = /```ts\n([\s\S]*?)```/g

const blocksOf = (path: string): ReadonlyArray<Block> => {
  const text = readFileSync(path, "utf8")
  const prose = path.endsWith(".md") ? text : text.replaceAll(/^ \* ?/gm, "")
  const name = relative(root, path).replaceAll(/[^\w]+/g, "-")
  return Array.from(prose.matchAll(fenced), ([, code = ""], index) => ({ name: `${name}-${index + 1}`, code }))
}

const pages = ["README.md", "CONTRIBUTING.md", "SECURITY.md"].map((name) => join(root, name))
const sources = readdirSync(join(root, "packages"), { recursive: true, encoding: "utf8" })
  .filter((name) => /^[\w-]+\/(src\/(?!.*\/build\/).*\.ts|README\.md)$/.test(name))
  .map((name) => join(root, "packages", name))

const observing = ({ code }: Block): string =>
  `import { deepStrictEqual as observe } from "node:assert/strict"\n`
  + code.replaceAll(/^(\s*)(.+?) \/\/ => (.+)$/gm, "$1observe(await ($2), $3)")
  + "\nobserve(1, 1)\n"

const isProgram = ({ code }: Block) => !code.includes("vitest")

const blocks = [...pages, ...sources].flatMap(blocksOf)

rmSync(target, { recursive: true, force: true })
mkdirSync(target, { recursive: true })
for (const block of blocks) writeFileSync(join(target, `${block.name}.ts`), observing(block))
writeFileSync(
  join(target, "tsconfig.json"),
  JSON.stringify({
    extends: relative(target, join(root, "tsconfig.outside.json")),
    include: ["*.ts"],
    compilerOptions: { noUnusedLocals: false }
  })
)

/** Runs a command and, when it fails, says no more than what it printed. */
const run = async (
  what: string,
  command: string,
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>>
) => {
  try {
    await promisify(execFile)(command, [...args], { env: { ...process.env, ...env } })
  } catch (error) {
    const { stderr, stdout } = Object.assign({ stderr: "", stdout: "" }, error)
    console.error(`${what} failed\n${stdout}${stderr}`)
    process.exit(1)
  }
}

await run("compiling the documentation", "tsc", ["-p", target], {})

const runtime = ManagedRuntime.make(Platform.layer())
const platform = await runtime.runPromise(Platform.Platform)
const programs = blocks.filter(isProgram)
for (const { name } of programs) await run(name, process.execPath, [join(target, `${name}.ts`)], platform.env)
await runtime.dispose()
console.log(`${blocks.length} blocks compiled, ${programs.length} of them ran`)
