/**
 * What the facade is built without: modules that nothing in it uses, but that others import, each with what stands in its place.
 */
import { dirname, resolve } from "node:path"

interface Absent {
  /** How the module's path ends. */
  readonly path: string
  readonly code: string
}

const absent: ReadonlyArray<Absent> = [
  // The facade's transport gives out messages that are read without one.
  { path: "/oauth/dist/internal/StreamedBody.js", code: "export const read = undefined" },
  { path: "/workload-identity/dist/node/internal/MessageStream.js", code: "export const make = undefined" },
  // Plain programs parse the JSON of credentials themselves: nothing in the facade asks for a schema.
  { path: "/workload-identity/dist/internal/CredentialReader.js", code: "export const load = undefined" },
  // Nobody outside can read the metrics of this copy of Effect.
  {
    path: "/oauth/dist/internal/Counts.js",
    code: "export const answers = () => {}\nexport const flight = () => {}\nexport const request = () => {}"
  },
  { path: "/oauth/dist/internal/Tally.js", code: "export class Tally {\n  add() {}\n}" },
  // Third parties are reached over `node:http` and the agents alone.
  {
    path: "@effect/platform-node/NodeHttpClient",
    code: "export const HttpAgent = undefined\nexport const layerNodeHttpNoAgent = undefined"
  },
  // Requests go over `node:http`, which follows no redirect.
  { path: "/oauth/dist/internal/FetchRedirects.js", code: "export const refuse = (context) => context" }
]

const marker = "\0absent:"

const met = new Set<string>()

/** The bundler's part in it. */
export const plugin = {
  name: "facade-without",
  resolveId: (id: string, importer: string | undefined) => {
    if (importer === undefined) return null
    const path = id.startsWith(".") ? resolve(dirname(importer), id) : id
    const found = absent.find((each) => path.endsWith(each.path))
    if (found === undefined) return null
    met.add(found.path)
    return { id: `${marker}${found.path}`, external: false }
  },
  load: (id: string) => absent.find(({ path }) => id === `${marker}${path}`)?.code ?? null
}

/** Fails once all has been bundled and a module of the list was not met: it has another name now, or nobody needs it. */
export const check = (): void => {
  const unmet = absent.filter(({ path }) => !met.has(path)).map(({ path }) => path)
  if (unmet.length > 0) throw new Error(`the facade is to be built without ${unmet.join(", ")}, which it never imports`)
}
