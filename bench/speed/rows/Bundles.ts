/**
 * What a bundler makes of it, minified and compressed.
 */
import { existsSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { type InputOptions, rolldown } from "rolldown"
import type { Entry, Peer } from "../Peer.ts"
import { byHand, byHandFetch, libraries, ours } from "../Peers.ts"
import type { Figure, Measurement, Row, Stage } from "../Row.ts"
import * as Show from "../Show.ts"

const gzip = (code: string | Uint8Array): number => gzipSync(code, { level: 9 }).length

const bundled = async (text: string, options: InputOptions): Promise<Figure> => {
  const bundle = await rolldown({
    ...options,
    input: "entry",
    logLevel: "silent",
    plugins: [{
      name: "entry",
      resolveId: (id) => id === "entry" ? join(import.meta.dirname, "entry.js") : null,
      load: (id) => id === join(import.meta.dirname, "entry.js") ? text : null
    }]
  })
  const { output } = await bundle.generate({ format: "esm", minify: true, comments: false })
  await bundle.close()
  const chunks = new Map(output.flatMap((part) => part.type === "chunk" ? [[part.fileName, part]] : []))
  // What is only loaded when it is asked for is left out.
  const atOnce = new Set(output.flatMap((part) => part.type === "chunk" && part.isEntry ? [part.fileName] : []))
  for (const name of atOnce) for (const imported of chunks.get(name)?.imports ?? []) atOnce.add(imported)
  const codes = Array.from(atOnce, (name) => chunks.get(name)?.code ?? "")
  return { bytes: codes.reduce((sum, code) => sum + gzip(code), 0) }
}

const exportOf = ({ from, names }: Entry): string => `export { ${names.join(", ")} } from ${JSON.stringify(from)}\n`

const libraryBundle = ({ entries }: Peer): Promise<Figure> =>
  bundled(entries.map(exportOf).join(""), { platform: "node" })

const byHandBundle = ({ module }: Peer): Promise<Figure> =>
  bundled(`export { peer } from ${JSON.stringify(module)}`, { platform: "node" })

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
const layers = {
  platform: "browser",
  resolve: {
    alias: Object.fromEntries(
      ["oauth", "workload-identity"].map((name) => [`@effect-identity/${name}`, join(packages, name, "dist")])
    )
  }
} satisfies InputOptions

const wholeLayer = `
  import * as TokenCache from "@effect-identity/oauth/TokenCache"
  import * as Config from "@effect-identity/workload-identity/Config"
  import * as HttpClient from "@effect-identity/workload-identity/HttpClient"
  import * as Lane from "@effect-identity/workload-identity/Lane"
  import * as OutboundAuth from "@effect-identity/workload-identity/OutboundAuth"
  import * as WorkloadIdentity from "@effect-identity/workload-identity/WorkloadIdentity"
  import * as Layer from "effect/Layer"
  export const layer = WorkloadIdentity.layer.pipe(
    Layer.provide(OutboundAuth.layer),
    Layer.provide(Lane.layer),
    Layer.provide(HttpClient.layerFetch),
    Layer.provide(TokenCache.layer),
    Layer.provide(Config.layer())
  )
`

const tagAlone = `
  import { WorkloadIdentity } from "@effect-identity/workload-identity/WorkloadIdentity"
  export const key = WorkloadIdentity.key
`

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
      layer: { [ours.name]: await bundled(wholeLayer, layers) },
      tag: { [ours.name]: await bundled(tagAlone, layers) }
    }
  }
}
