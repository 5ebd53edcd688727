/**
 * What a bundler makes of it, minified and compressed.
 */
import { existsSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import * as CompressedBundle from "../../../scripts/CompressedBundle.ts"
import * as LayerBundle from "../../../scripts/LayerBundle.ts"
import type { Entry, Peer } from "../Peer.ts"
import { byHand, byHandFetch, libraries, ours } from "../Peers.ts"
import type { Figure, Measurement, Row, Stage } from "../Row.ts"
import * as Show from "../Show.ts"

const gzip = (code: Uint8Array): number => gzipSync(code, { level: 9 }).length

const bundled = async (text: string): Promise<Figure> => ({
  bytes: await CompressedBundle.bytesOf(text, import.meta.dirname, { platform: "node" })
})

const exportOf = ({ from, names }: Entry): string => `export { ${names.join(", ")} } from ${JSON.stringify(from)}\n`

const libraryBundle = ({ entries }: Peer): Promise<Figure> => bundled(entries.map(exportOf).join(""))

const byHandBundle = ({ module }: Peer): Promise<Figure> => bundled(`export { peer } from ${JSON.stringify(module)}`)

/** The facade comes as a bundle: all that Node loads of it counts, whenever it does, because a token needs it. */
const facade = ({ installed }: Stage): Figure => {
  const entry = fileURLToPath(installed.resolve("@effect-identity/client"))
  const loaded = new Set([entry])
  for (const path of loaded) {
    for (const [, name = ""] of readFileSync(path, "utf8").matchAll(/["'`](\.\/[\w-]+\.[cm]?js)["'`]/g)) {
      const file = join(dirname(path), name)
      if (existsSync(file)) loaded.add(file)
    }
  }
  return { bytes: Array.from(loaded).reduce((sum, path) => sum + gzip(readFileSync(path)), 0) }
}

const packages = join(import.meta.dirname, "../../../packages")

/** From what is published, where calls that do nothing but make something are marked as such. */
const published = {
  directory: import.meta.dirname,
  alias: Object.fromEntries(
    ["oauth", "workload-identity"].map((name) => [`@effect-identity/${name}`, join(packages, name, "dist")])
  )
}

const row = (id: string, title: string, kilobytes: number): Row => ({
  id,
  title,
  targets: [{ of: "bytes", atMost: kilobytes * 1_000 }],
  mustReach: `${kilobytes} kB`,
  order: "bytes",
  show: ({ bytes = Number.NaN }) => Show.kilobytes(bytes)
})

export const bundles: Measurement = {
  rows: [
    row("facade", "bundle, compressed: for plain Node", 36),
    row("layer", "the same, the whole layer over fetch in an Effect program, `effect` included", 48),
    row("tag", "the same, only the tag", 6)
  ],
  measure: async (stage) => {
    const figures: Record<string, Figure> = {
      [ours.name]: facade(stage),
      [byHand.name]: await byHandBundle(byHand),
      [byHandFetch.name]: await byHandBundle(byHandFetch)
    }
    for (const peer of libraries) figures[peer.name] = await libraryBundle(peer)
    return {
      facade: figures,
      layer: { [ours.name]: { bytes: await LayerBundle.bytesOf("layer", published) } },
      tag: { [ours.name]: { bytes: await LayerBundle.bytesOf("tag", published) } }
    }
  }
}
