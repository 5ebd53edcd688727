/**
 * Checks what the documentation says: every TypeScript block of the pages and of the doc comments is compiled, then run
 * where a platform is at hand, and each `expression // => value` in it must hold. Links must lead somewhere, and messages
 * that a page quotes must be the ones that are told.
 *
 * With words behind it, it checks the blocks of the files that have one of them in their name.
 */
import { Platform } from "@effect-identity/testing"
import { Effect, Exit, Layer, ManagedRuntime, Scope } from "effect"
import { execFile } from "node:child_process"
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join, relative } from "node:path"
import { promisify } from "node:util"
import * as World from "../examples/World.ts"
import * as Links from "./docs/Links.ts"
import * as Quotes from "./docs/Quotes.ts"

const root = join(import.meta.dirname, "..")
// Below the examples, so that the packages are found the way a reader's program finds them.
const target = join(root, "examples/build/docs")

interface Block {
  readonly path: string
  readonly name: string
  readonly code: string
}

const fenced = /```ts\n([\s\S]*?)```/g

const blocksOf = (path: string): ReadonlyArray<Block> => {
  const text = readFileSync(path, "utf8")
  const prose = path.endsWith(".md") ? text : text.replaceAll(/^ \* ?/gm, "")
  const name = relative(root, path).replaceAll(/[^\w]+/g, "-")
  return Array.from(prose.matchAll(fenced), ([, code = ""], index) => {
    const suffix = code.includes("vitest") ? ".test" : ""
    return { path, name: `${name}-${index + 1}${suffix}`, code }
  })
}

const pagesIn = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder).filter((name) => name.endsWith(".md")).toSorted().map((name) => join(folder, name))

const pages = [...pagesIn(root), ...pagesIn(join(root, "docs"))]
const sources = readdirSync(join(root, "packages"), { recursive: true, encoding: "utf8" })
  .filter((name) => /^[\w-]+\/(src\/(?!.*\/build\/).*\.ts|README\.md)$/.test(name))
  .map((name) => join(root, "packages", name))

const observing = ({ code }: Block): string =>
  `import { deepStrictEqual as observe } from "node:assert/strict"\n`
  + code.replaceAll(/^(\s*)(.+?) \/\/ => (.+)$/gm, "$1observe(await ($2), $3)")
  + "\nobserve(1, 1)\n"

const isTest = ({ name }: Block) => name.endsWith(".test")

const wanted = process.argv.slice(2)

// What stands on several pages, in several languages, runs once.
const blocks = [...pages, ...sources]
  .filter((path) => wanted.length === 0 || wanted.some((word) => relative(root, path).includes(word)))
  .flatMap(blocksOf)
  .filter(({ code }, index, all) => all.findIndex((other) => other.code === code) === index)

rmSync(target, { recursive: true, force: true })
mkdirSync(target, { recursive: true })
for (const block of blocks) writeFileSync(join(target, `${block.name}.ts`), observing(block))
writeFileSync(
  join(target, "tsconfig.json"),
  JSON.stringify({
    extends: relative(target, join(root, "tsconfig.outside.json")),
    include: ["*.ts"],
    exclude: [],
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

const flaws = [
  ...[...pages, ...sources].filter((path) => path.endsWith(".md")).flatMap((path) => Links.flawsOf(path)),
  ...await Quotes.flawsOf(join(root, "docs"))
]
if (flaws.length > 0) {
  console.error(flaws.join("\n"))
  process.exit(1)
}

await run("compiling the documentation", "tsc", ["-p", target], {})

// Examples of modules ask an empty platform, pages a world with all that programs meet.
const runtime = ManagedRuntime.make(Platform.layer())
const { env: bare } = await runtime.runPromise(Platform.Platform)
const scope = Scope.makeUnsafe()
const worlds = ManagedRuntime.make(Layer.fresh(World.layer))
const furnished = await worlds.runPromise(Scope.provide(World.make, scope))

const tests = blocks.filter(isTest)
const programs = blocks.filter((block) => !isTest(block))
const queue = programs.values()
const work = async () => {
  for (const { name, path } of queue) {
    await run(name, process.execPath, [join(target, `${name}.ts`)], pages.includes(path) ? furnished : bare)
  }
}
await Promise.all([work(), work()])
if (tests.length > 0) await run("the tests of the documentation", "vitest", ["run", "--root", target], {})

await Effect.runPromise(Scope.close(scope, Exit.void))
await Promise.all([runtime.dispose(), worlds.dispose()])
console.log(`${blocks.length} blocks compiled, ${programs.length} of them ran, ${tests.length} passed as tests`)
