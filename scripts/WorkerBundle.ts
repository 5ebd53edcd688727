/**
 * Bundles the issuer for Workers, where there is neither a package nor anything of Node to import.
 */
import { builtinModules } from "node:module"
import { gzipSync } from "node:zlib"
import { rolldown } from "rolldown"

/** A Worker starts in no time as long as it is small. */
const maximumGzip = 60_000

const isBuiltIn = (name: string): boolean => name.startsWith("node:") || builtinModules.includes(name)

/**
 * The bundle of an entry: one file that imports nothing. Throws when it does, or is too large. `alias` says where packages of
 * this workspace are taken from, if not from their sources.
 */
export const make = async (
  input: string,
  alias: Readonly<Record<string, string>> = {}
): Promise<{ readonly code: string; readonly gzip: number }> => {
  const bundle = await rolldown({
    input,
    platform: "browser",
    resolve: { alias, conditionNames: ["workerd", "worker", "browser", "import"] },
    // Effect looks for Node through it, and Workers have none: what it would do with it is left out.
    transform: { define: { "globalThis.process": "undefined" } },
    // Nothing here is imported for what importing it does, nor read for that.
    treeshake: { moduleSideEffects: false, propertyReadSideEffects: false }
  })
  const { output } = await bundle.generate({ format: "esm", minify: true, codeSplitting: false, comments: false })
  await bundle.close()
  const [{ code, dynamicImports, imports }] = output
  const foreign = [...imports, ...dynamicImports]
  const builtIn = foreign.filter(isBuiltIn)
  if (builtIn.length > 0) throw new Error(`the worker imports what only Node has: ${builtIn.join(", ")}`)
  if (foreign.length > 0 || output.length > 1) throw new Error(`the worker is not one file: ${foreign.join(", ")}`)
  const gzip = gzipSync(code, { level: 9 }).length
  if (gzip > maximumGzip) throw new Error(`the worker has ${gzip} bytes compressed, more than ${maximumGzip}`)
  return { code, gzip }
}
