/**
 * The same facade for Node itself, which loads its machinery when the first client is made: to import it costs next to
 * nothing. Bundlers take `index.ts`, in which nothing is loaded by a path.
 */
import process from "node:process"
import type * as Machinery from "./Machinery.ts"
import { loadBy } from "./MachineryPlace.ts"

loadBy(() => {
  const load: (path: string) => typeof Machinery = process.getBuiltinModule("node:module").createRequire(
    import.meta.url
  )
  return load("./machinery.js")
})

export * as envKeys from "@effect-identity/workload-identity/EnvKeys"
export * from "./Facade.ts"
