/**
 * What a bundler makes of a program, minified and compressed.
 */
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { type InputOptions, rolldown } from "rolldown"

/** Bytes of a program that stands in this directory. What is only loaded when it is asked for is left out. */
export const bytesOf = async (text: string, directory: string, options: InputOptions): Promise<number> => {
  const entry = join(directory, "entry.js")
  const bundle = await rolldown({
    ...options,
    input: "entry",
    logLevel: "silent",
    plugins: [{
      name: "entry",
      resolveId: (id) => id === "entry" ? entry : null,
      load: (id) => id === entry ? text : null
    }]
  })
  const { output } = await bundle.generate({ format: "esm", minify: true, comments: false })
  await bundle.close()
  const chunks = new Map(output.flatMap((part) => part.type === "chunk" ? [[part.fileName, part]] : []))
  const atOnce = new Set(output.flatMap((part) => part.type === "chunk" && part.isEntry ? [part.fileName] : []))
  for (const name of atOnce) for (const imported of chunks.get(name)?.imports ?? []) atOnce.add(imported)
  return Array.from(atOnce, (name) => gzipSync(chunks.get(name)?.code ?? "", { level: 9 }).length)
    .reduce((sum, bytes) => sum + bytes, 0)
}
