/**
 * What npm puts on the disk.
 */
import { lstatSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import * as Tarball from "../../../scripts/Tarball.ts"
import { libraries, ours } from "../Peers.ts"
import type { Figure, Measurement } from "../Row.ts"
import * as Show from "../Show.ts"
import * as Versions from "../Versions.ts"

/** Blocks are of 512 bytes, whatever the disk uses. */
const sizeOf = (path: string): number => {
  const { blocks } = lstatSync(path)
  return blocks * 512
}

const measureFolder = (folder: string): Figure => {
  const modules = join(folder, "node_modules")
  const record = join(modules, ".package-lock.json")
  const { packages }: { readonly packages: object } = JSON.parse(readFileSync(record, "utf8"))
  const bytes = readdirSync(modules, { recursive: true, encoding: "utf8" })
    .map((name) => join(modules, name))
    .filter((path) => path !== record)
    .reduce((sum, path) => sum + sizeOf(path), 0)
  return { mebibytes: bytes / 2 ** 20, packages: Object.keys(packages).length }
}

export const install: Measurement = {
  rows: [{
    id: "install",
    title: "what a plain Node program installs",
    targets: [{ of: "mebibytes", atMost: 0.5 }, { of: "packages", atMost: 1 }],
    mustReach: "0.5 MiB, 1 package",
    order: "mebibytes",
    show: ({ mebibytes = Number.NaN, packages = Number.NaN }) =>
      `${Show.mebibytes(mebibytes)}, ${Show.count(packages, "package")}`
  }],
  measure: async ({ earlier, installed, isQuick }) => {
    const figures: Record<string, Figure> = { [ours.name]: measureFolder(installed.folder) }
    for (const { name } of libraries) {
      const version = Versions.of(name)
      const known = earlier.versions[name] === version ? earlier.rows["install"]?.[name] : undefined
      if (known !== undefined) figures[name] = known
      else if (!isQuick) {
        const folder = await Tarball.install(installed.workplace, "peer", [`${name}@${version}`])
        figures[name] = measureFolder(folder)
      }
    }
    return { install: figures }
  }
}
