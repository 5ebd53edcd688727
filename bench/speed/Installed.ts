/**
 * This library as its users get it: built, packed and installed where no workspace helps it.
 */
import { createRequire } from "node:module"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import * as Tarball from "../../scripts/Tarball.ts"

export interface Installed {
  /** Where the rest may be put, too. Whoever asked for it removes it. */
  readonly workplace: string
  /** The folder it was installed into. */
  readonly folder: string
  /** Where a program finds a package, as the URL of a file. */
  readonly resolve: (specifier: string) => string
}

const name = "@effect-identity/client"

export const make = async (): Promise<Installed> => {
  const workplace = Tarball.workplace()
  const folder = await Tarball.install(workplace, "facade", [await Tarball.pack(workplace, "client")])
  const { resolve } = createRequire(join(folder, "program.js"))
  return {
    workplace,
    folder,
    resolve: (specifier) => specifier === name ? pathToFileURL(resolve(specifier)).href : import.meta.resolve(specifier)
  }
}
