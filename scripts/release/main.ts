/**
 * `pnpm release:check`: whether what would be published is fit for it. Packs every package, looks into the tarballs, lints
 * them, and compiles against them with every compiler that is promised.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import * as Tarball from "../Tarball.ts"
import * as Compilers from "./Compilers.ts"
import * as Linters from "./Linters.ts"
import * as Packed from "./Packed.ts"

const root = join(import.meta.dirname, "../..")
const workplace = Tarball.workplace()

const names = readdirSync(join(root, "packages")).filter((name) => {
  const manifest = join(root, "packages", name, "package.json")
  return existsSync(manifest) && JSON.parse(readFileSync(manifest, "utf8")).private !== true
})

const check = async (): Promise<ReadonlyArray<string>> => {
  const problems: Array<string> = []
  const packages: Array<Packed.Packed> = []
  for (const name of names) {
    const packed = await Packed.open(workplace, name)
    const found = [...Packed.problemsOf(packed, [root, homedir()]), ...await Linters.problemsOf(packed)]
    problems.push(...found.map((problem) => `${packed.manifest.name} ${problem}`))
    packages.push(packed)
    console.log(
      `${packed.manifest.name}: ${packed.files.length} files, ${packed.subpaths.length} modules to import, linted`
    )
  }
  const facade = packages.filter(({ manifest }) => manifest.name === "@effect-identity/client")
  const peers = ["effect@4.1.0", "@effect/platform-node@4.1.0", "@types/node@24.19.2"]
  const alone = await Tarball.install(workplace, "facade", facade.map(({ tarball }) => tarball))
  const together = await Tarball.install(workplace, "layers", [...packages.map(({ tarball }) => tarball), ...peers])
  problems.push(...await Compilers.problemsOf(workplace, packages, { alone, together }))
  return problems
}

try {
  const problems = await check()
  for (const problem of problems) console.error(problem)
  console.log(`${names.length} packages, ${problems.length} problems`)
  process.exitCode = problems.length === 0 ? 0 : 1
} finally {
  rmSync(workplace, { recursive: true, force: true })
}
