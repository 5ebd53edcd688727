/**
 * Compiles programs against the installed tarballs with every compiler that is promised: all that can be imported, with the
 * declarations themselves checked.
 */
import { copyFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Tarball from "../Tarball.ts"
import type { Packed } from "./Packed.ts"

const newest = "7.0.2"
const versions = ["5.9.3", "6.0.3", newest]

const options = {
  target: "ES2022",
  lib: ["ES2024", "DOM", "DOM.Iterable", "DOM.AsyncIterable", "ESNext.Disposable"],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  verbatimModuleSyntax: true,
  skipLibCheck: false,
  noEmit: true
}

/** As Node resolves modules, and as bundlers do. */
const resolutions = {
  nodenext: { module: "NodeNext" },
  bundler: { module: "ESNext", moduleResolution: "bundler" }
} as const

/** What a bundler resolves differs by what is exported and not by the compiler, so that one of them is enough. */
const resolutionsOf = (version: string) => version === newest ? Object.keys(resolutions) : ["nodenext"]

const everything = (packages: ReadonlyArray<Packed>): string =>
  packages.flatMap(({ manifest, subpaths }) => subpaths.map((subpath) => manifest.name + subpath.slice(1)))
    .map((specifier, nth) => `export * as module${nth} from "${specifier}"\n`).join("")

const addProject = (folder: string, name: string, types: ReadonlyArray<string>) => {
  for (const [resolution, settings] of Object.entries(resolutions)) {
    writeFileSync(
      join(folder, `tsconfig.${name}.${resolution}.json`),
      JSON.stringify({ files: [`${name}.ts`], compilerOptions: { ...options, ...settings, types } })
    )
  }
}

/**
 * What the compilers complain about. `alone` is a folder with the facade and nothing else, `together` one with all of them and
 * what they need.
 */
export const problemsOf = async (
  workplace: string,
  packages: ReadonlyArray<Packed>,
  { alone, together }: { readonly alone: string; readonly together: string }
): Promise<ReadonlyArray<string>> => {
  copyFileSync(join(import.meta.dirname, "../smoke/types.ts"), join(alone, "types.ts"))
  addProject(alone, "types", [])
  writeFileSync(join(together, "everything.ts"), everything(packages))
  addProject(together, "everything", ["node"])
  const compile = async (version: string): Promise<ReadonlyArray<string>> => {
    const compiler = await Tarball.install(workplace, `typescript-${version}`, [`typescript@${version}`])
    const problems: Array<string> = []
    for (const [folder, name] of [[alone, "types"], [together, "everything"]] as const) {
      for (const resolution of resolutionsOf(version)) {
        const args = ["-p", `tsconfig.${name}.${resolution}.json`, "--pretty", "false"]
        try {
          await Tarball.run(join(compiler, "node_modules/.bin/tsc"), args, { cwd: folder })
        } catch (error) {
          const { stdout } = Object.assign({ stdout: String(error) }, error)
          problems.push(...stdout.trim().split("\n").map((line) => `TypeScript ${version}, ${resolution}: ${line}`))
        }
      }
    }
    console.log(`TypeScript ${version}: the facade alone, and all modules together`)
    return problems
  }
  return (await Promise.all(versions.map(compile))).flat()
}
