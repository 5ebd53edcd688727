/**
 * Programs that are run in processes of their own: plain JavaScript around one peer, with packages left where they are
 * installed.
 */
import { execFile } from "node:child_process"
import { mkdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import { rolldown } from "rolldown"
import type { Installed } from "./Installed.ts"
import type { Peer } from "./Peer.ts"
import type { Figure } from "./Row.ts"

export interface Programs {
  /** The path of `programs/<name>.ts` around a peer, made once. */
  readonly around: (name: string, peer: Peer) => Promise<string>
  /** The path of a program that imports these packages, does nothing, and tells what that took. */
  readonly importing: (name: string, packages: ReadonlyArray<string>) => Promise<string>
  /** Runs it with settings, and answers with what it measured. */
  readonly run: (path: string, settings?: object, flags?: ReadonlyArray<string>) => Promise<Figure>
}

/** Longer than the slowest of them takes. */
const timeout = 120_000

const folder = join(import.meta.dirname, "programs")

const entryOf = (name: string, { module }: Peer) => `
  import { peer } from ${JSON.stringify(module)}
  import { run } from ${JSON.stringify(join(folder, `${name}.ts`))}
  import * as first from ${JSON.stringify(join(folder, "Loop.ts?first"))}
  import * as second from ${JSON.stringify(join(folder, "Loop.ts?second"))}
  const figure = await run(peer, JSON.parse(process.argv[2]), [first, second])
  process.stdout.write("\\n" + JSON.stringify(figure))
  process.exit(0)
`

const importing = (packages: ReadonlyArray<string>) => `
  ${packages.map((name) => `import ${JSON.stringify(name)}`).join("\n")}
  import { usage } from ${JSON.stringify(join(folder, "Usage.ts"))}
  const figure = usage()
  process.stdout.write("\\n" + JSON.stringify(figure))
`

const fileNameOf = (name: string): string => name.replaceAll(/\W+/g, "-")

const build = async (text: string, to: string, resolve: Installed["resolve"]): Promise<void> => {
  const bundle = await rolldown({
    input: "entry",
    platform: "node",
    plugins: [{
      name: "packages-stay-where-they-are",
      resolveId: (id) => {
        if (id === "entry") return "\0entry.js"
        // The same module twice.
        if (id.includes("?")) return id
        if (id.startsWith(".") || id.startsWith("/")) return null
        return { id: id.startsWith("node:") ? id : resolve(id), external: true }
      },
      load: (id) => {
        if (id === "\0entry.js") return text
        return id.includes("?") ? { code: readFileSync(id.replace(/\?.*$/, ""), "utf8"), moduleType: "ts" } : null
      }
    }]
  })
  await bundle.write({ file: to, format: "esm", codeSplitting: false, minify: false })
  await bundle.close()
}

export const make = ({ resolve, workplace }: Installed): Programs => {
  const to = join(workplace, "programs")
  mkdirSync(to)
  const made = new Map<string, Promise<string>>()

  const around = (name: string, peer: Peer): Promise<string> => {
    const path = join(to, `${name}-${fileNameOf(peer.name)}.mjs`)
    const making = made.get(path) ?? build(entryOf(name, peer), path, resolve).then(() => path)
    made.set(path, making)
    return making
  }

  return {
    around,
    importing: async (name, packages) => {
      const path = join(to, `import-${fileNameOf(name)}.mjs`)
      await build(importing(packages), path, resolve)
      return path
    },
    run: async (path, settings = {}, flags = []) => {
      const args = [...flags, path, JSON.stringify(settings)]
      const { stdout } = await promisify(execFile)(process.execPath, args, { timeout, maxBuffer: 2 ** 24 })
      return JSON.parse(stdout.slice(stdout.lastIndexOf("\n{")))
    }
  }
}
