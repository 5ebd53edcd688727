/**
 * A tarball, opened: what somebody who installs it gets.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import * as Tarball from "../Tarball.ts"

export interface Manifest {
  readonly name: string
  readonly version: string
  readonly description?: string
  readonly license?: string
  readonly type?: string
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>> | null>>
  readonly bin?: Readonly<Record<string, string>>
  readonly engines?: Readonly<Record<string, string>>
  readonly scripts?: Readonly<Record<string, string>>
  readonly repository?: unknown
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly publishConfig?: { readonly access?: string; readonly provenance?: boolean }
}

export interface Packed {
  readonly tarball: string
  readonly folder: string
  readonly manifest: Manifest
  readonly files: ReadonlyArray<string>
  /** What can be imported, below the name: `.`, `./node`, `./TokenCache`. */
  readonly subpaths: ReadonlyArray<string>
}

export const targetOf = (target: Manifest["exports"][string]): string | undefined =>
  typeof target === "object" ? target?.["default"] : target

/** What a pattern lets through, but for what another line forbids. */
const subpathsOf = ({ exports }: Manifest, files: ReadonlyArray<string>): ReadonlyArray<string> => {
  const forbidden = Object.keys(exports).filter((key) => exports[key] === null)
  const isForbidden = (subpath: string) =>
    forbidden.some((key) => key.endsWith("*") ? subpath.startsWith(key.slice(0, -1)) : subpath === key)
  return Object.entries(exports).flatMap(([key, target]) => {
    const path = targetOf(target)
    if (path === undefined) return []
    const [start = "", end] = path.slice("./".length).split("*")
    if (end === undefined) return [key]
    return files
      .filter((file) => file.startsWith(start) && file.endsWith(end))
      .map((file) => key.replace("*", file.slice(start.length, file.length - end.length)))
      .filter((subpath) => !isForbidden(subpath))
  })
}

export const open = async (workplace: string, name: string): Promise<Packed> => {
  const tarball = await Tarball.pack(workplace, name)
  const into = mkdtempSync(join(workplace, `${name}-`))
  await Tarball.run("tar", ["-xzf", tarball, "-C", into], { cwd: workplace })
  const folder = join(into, "package")
  const manifest: Manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) =>
    statSync(join(folder, file)).isFile()
  )
  return { tarball, folder, manifest, files, subpaths: subpathsOf(manifest, files) }
}

const isMissing = (folder: string, file: string): boolean => !existsSync(join(folder, file))

/** What is wrong with it, one line each. `machine` are paths that nothing in it may contain. */
export const problemsOf = (
  { files, folder, manifest }: Packed,
  machine: ReadonlyArray<string>
): ReadonlyArray<string> => {
  const { bin = {}, dependencies = {}, description, engines, exports, license, peerDependencies = {}, publishConfig } =
    manifest
  const problems: Array<string> = []
  const demand = (holds: boolean, problem: string) => {
    if (!holds) problems.push(problem)
  }
  demand(license === "MIT" && files.includes("LICENSE"), "has no MIT license in it")
  demand(files.includes("README.md"), "has no README in it")
  demand(description !== undefined, "has no description")
  demand(manifest.type === "module", "is not of type module")
  demand(engines?.["node"] === ">=22.19", "does not name the Node it needs")
  demand(publishConfig?.access === "public" && publishConfig.provenance === true, "is not published with provenance")
  const hooks = Object.keys(manifest.scripts ?? {}).filter((name) =>
    /^(pre|post)?(install|prepare|uninstall)/.test(name)
  )
  demand(hooks.length === 0, `runs something when it is installed: ${hooks.join(", ")}`)
  for (const [name, version] of Object.entries({ ...dependencies, ...peerDependencies })) {
    demand(
      !/^(workspace|catalog|link|file):/.test(version),
      `asks for ${name} by ${version}, which only the workspace knows`
    )
  }
  const targets = Object.values(exports).map(targetOf).concat(Object.values(bin))
  for (const target of targets) {
    if (target === undefined || target.includes("*")) continue
    demand(!isMissing(folder, target), `exports ${target}, which is not in it`)
    const declaration = target.replace(/\.js$/, ".d.ts")
    demand(Object.values(bin).includes(target) || !isMissing(folder, declaration), `has no types for ${target}`)
  }
  for (const file of files) {
    demand(!/(^|\/)(src|test|node_modules)\//.test(file), `holds ${file}`)
    demand(!/\.(tsbuildinfo|map|tgz)$|\.test\./.test(file), `holds ${file}`)
    const content = readFileSync(join(folder, file), "latin1")
    demand(machine.every((path) => !content.includes(path)), `${file} holds a path of this machine`)
    demand(!file.endsWith(".d.ts") || !/from ["']\.[^"']*\.ts["']/.test(content), `${file} imports a source`)
  }
  return problems
}
