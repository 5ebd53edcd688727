/**
 * How large what is published may be, and what it may need. Each bound is a little above what is reached: who crosses one says
 * here why.
 */
import { gzipSync } from "node:zlib"

export interface Part {
  readonly fileName: string
  readonly code: string
  readonly imports: ReadonlyArray<string>
}

const gzip = ({ code }: Part): number => gzipSync(code, { level: 9 }).length

const keep = (name: string, bytes: number, maximum: number): void => {
  console.log(`${name}: ${bytes} bytes compressed, ${maximum} at most`)
  if (bytes > maximum) throw new Error(`${name} has ${bytes} bytes compressed, more than ${maximum}`)
}

const needsOnly = ({ fileName, imports }: Part, allowed: ReadonlyArray<string>): void => {
  const foreign = imports.filter((name) => !allowed.includes(name))
  if (foreign.length > 0) throw new Error(`${fileName} imports ${foreign.join(", ")}`)
}

const forbids = ({ code, fileName }: Part, name: RegExp): void => {
  if (name.test(code)) throw new Error(`${fileName} holds ${name}`)
}

/** What of Node the machinery is made of: nothing that brings another HTTP client or a WebSocket stack. */
const builtIns = [
  "node:crypto",
  "node:fs",
  "node:http",
  "node:https",
  "node:module",
  "node:net",
  "node:os",
  "node:path",
  "node:process",
  "node:stream",
  "node:stream/consumers",
  "node:string_decoder",
  "node:tls"
]

export const checkFacade = (
  { index, lazy, machinery }: { readonly index: Part; readonly lazy: Part; readonly machinery: Part }
): void => {
  needsOnly(machinery, builtIns)
  needsOnly(lazy, ["node:module", "node:process"])
  needsOnly(index, ["./machinery.js", "node:module", "node:process"])
  for (const part of [index, lazy, machinery]) forbids(part, /undici/i)
  keep("@effect-identity/client, what is loaded at once", gzip(lazy), 3_500)
  keep("@effect-identity/client, all of it", gzip(lazy) + gzip(machinery), 50_500)
}

const importOfNode = /^(?:import|export)\b[^"']*["']node:/m

/** What runs anywhere imports nothing of Node, outside the folder that is for Node. */
export const checkNeutral = (name: string, files: Iterable<readonly [path: string, code: string]>): void => {
  for (const [path, code] of files) {
    if (!path.startsWith("node/") && importOfNode.test(code)) {
      throw new Error(`@effect-identity/${name} is to run anywhere, and ${path} imports a module of Node`)
    }
  }
}

export const checkLayers = ({ layer, tag }: { readonly layer: number; readonly tag: number }): void => {
  keep("@effect-identity/workload-identity, all layers over fetch, with effect", layer, 57_500)
  keep("@effect-identity/workload-identity, the tag alone, with effect", tag, 5_500)
}
