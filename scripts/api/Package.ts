/**
 * The modules of a package that its users can import: what its `exports` let through once it is published.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import * as Declarations from "./Declarations.ts"
import * as DocComment from "./DocComment.ts"

export interface Module extends Declarations.Declarations {
  /** What is imported: `@effect-identity/oauth/TokenCache`. */
  readonly specifier: string
  /** Below `docs/api`, without an ending: `oauth/TokenCache`. */
  readonly page: string
  /** Below the root. */
  readonly source: string
  readonly comment: DocComment.DocComment | undefined
}

export interface Package {
  readonly folder: string
  readonly name: string
  readonly description: string
  readonly modules: ReadonlyArray<Module>
}

interface Manifest {
  readonly name: string
  readonly private?: boolean
  readonly description: string
  readonly publishConfig: { readonly exports: Readonly<Record<string, string | { readonly default: string } | null>> }
}

/** The comment at the head of a file: the compiler drops it from declarations where only types are imported. */
const headOf = (source: string): DocComment.DocComment | undefined => {
  const [, head] = /^\/\*(\*[\s\S]*?)\*\//.exec(source.replace(/^#!.*\n/, "")) ?? []
  return head === undefined ? undefined : DocComment.parse(head)
}

/** Pairs of what is imported below the package and the file that is meant. */
const entriesOf = (
  { publishConfig }: Manifest,
  files: ReadonlyArray<string>
): ReadonlyArray<readonly [subpath: string, file: string]> => {
  const hidden = Object.keys(publishConfig.exports).filter((key) => publishConfig.exports[key] === null)
  const isHidden = (subpath: string) =>
    hidden.some((key) => key.endsWith("*") ? subpath.startsWith(key.slice(0, -1)) : subpath === key)
  const named = new Set<string>()
  return Object.entries(publishConfig.exports).flatMap(([key, target]) => {
    if (target === null) return []
    const file = (typeof target === "string" ? target : target.default).replace("./dist/", "").replace(/\.js$/, "")
    if (key !== "./*") {
      named.add(file)
      return [[key, file] as const]
    }
    return files
      .filter((name) => !named.has(name) && !/(^|\/)index$/.test(name) && !isHidden(`./${name}`))
      .map((name) => [`./${name}`, name] as const)
  })
}

const read = (root: string, folder: string, manifest: Manifest): Package => {
  const declared = join(root, "packages", folder, "build/src")
  const files = readdirSync(declared, { recursive: true, encoding: "utf8" })
    .filter((name) =>
      name.endsWith(".d.ts") && existsSync(join(root, "packages", folder, "src", name.replace(".d.ts", ".ts")))
    )
    .map((name) => name.slice(0, -".d.ts".length))
    .toSorted()
  const modules = entriesOf(manifest, files).map(([subpath, file]): Module => {
    const source = join("packages", folder, "src", `${file}.ts`)
    const { exports, namespaces } = Declarations.read(root, join(declared, `${file}.d.ts`))
    return {
      specifier: manifest.name + subpath.slice(1),
      page: `${folder}/${subpath === "." ? "index" : subpath.slice(2)}`,
      source,
      comment: headOf(readFileSync(join(root, source), "utf8")),
      exports,
      namespaces
    }
  })
  return { folder, name: manifest.name, description: manifest.description, modules }
}

/** Every package that is published. They must have been compiled. */
export const all = (root: string): ReadonlyArray<Package> =>
  readdirSync(join(root, "packages")).toSorted().flatMap((folder) => {
    const path = join(root, "packages", folder, "package.json")
    if (!existsSync(path)) return []
    const manifest: Manifest = JSON.parse(readFileSync(path, "utf8"))
    return manifest.private === true ? [] : [read(root, folder, manifest)]
  })
