/**
 * A program that was bundled twice, as frameworks do with pages and servers, still holds one token: the copies find each
 * other's cache.
 */
import type * as Facade from "@effect-identity/client"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { rolldown } from "rolldown"

const bundle = await rolldown({
  input: join(import.meta.dirname, "../packages/client/src/index.ts"),
  platform: "node",
  external: [/^node:/]
})

const load = async (name: string): Promise<typeof Facade> => {
  const dir = join(import.meta.dirname, "build/bundles", name)
  await bundle.write({ dir, entryFileNames: "[name].mjs", chunkFileNames: "[name].mjs" })
  return import(pathToFileURL(join(dir, "index.mjs")).href)
}

const page = await load("page")
const server = await load("server")
await bundle.close()

const tokens = await Promise.all([new page.Client().getAccessToken(), new server.Client().getAccessToken()])
console.log(`two copies: ${page.Client !== server.Client}, one token: ${tokens[0] === tokens[1]}`)
process.exitCode = page.Client !== server.Client && tokens[0] === tokens[1] ? 0 : 1
