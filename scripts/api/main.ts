/**
 * `pnpm api` writes the reference of every published package into `docs/api`, from the declarations that are published.
 * It fails when a module or an export does not say what it is, since when, where it belongs and how stable it is.
 * `--check` writes nothing, and fails as well when what is written there is out of date.
 */
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import * as DocComment from "./DocComment.ts"
import * as Package from "./Package.ts"
import * as Page from "./Page.ts"

const root = join(import.meta.dirname, "../..")
const target = join(root, "docs/api")

const projects = readdirSync(join(root, "packages"))
  .flatMap((name) => [join(root, "packages", name), join(root, "packages", name, "src/node")])
  .filter((folder) => existsSync(join(folder, "tsconfig.json")))
execFileSync("tsc", ["-b", ...projects], { stdio: "inherit" })
const packages = Package.all(root)
const modules = packages.flatMap((each) => each.modules)

const nothing = DocComment.parse("")
const problems = modules.flatMap(({ comment, exports, source }) => [
  ...DocComment.missing(comment ?? nothing).map((lack) => `${source}: the module lacks ${lack}`),
  ...exports.flatMap((exported) =>
    DocComment.missingOfExport(exported.comment ?? nothing).map((lack) => `${source}: ${exported.name} lacks ${lack}`)
  )
])

const pages = new Map([
  ["README.md", Page.ofAll(packages)],
  ...modules.map((module) => [`${module.page}.md`, Page.ofModule(module)] as const)
])

if (process.argv.includes("--check")) {
  const written = existsSync(target)
    ? readdirSync(target, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".md"))
    : []
  const stale = Array.from(new Set([...written, ...pages.keys()])).filter((name) =>
    !written.includes(name) || readFileSync(join(target, name), "utf8") !== pages.get(name)
  )
  problems.push(...stale.map((name) => `docs/api/${name} is out of date: run \`pnpm api\``))
} else {
  rmSync(target, { recursive: true, force: true })
  for (const [name, content] of pages) {
    mkdirSync(dirname(join(target, name)), { recursive: true })
    writeFileSync(join(target, name), content)
  }
}

for (const problem of problems) console.error(problem)
const count = modules.reduce((sum, { exports }) => sum + exports.length, 0)
console.log(`${packages.length} packages, ${modules.length} modules, ${count} exports; ${problems.length} problems`)
process.exitCode = problems.length === 0 ? 0 : 1
