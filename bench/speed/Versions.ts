/**
 * Which version of a package is measured.
 */
import { readFileSync } from "node:fs"
import { findPackageJSON } from "node:module"

export const of = (name: string): string => {
  const path = findPackageJSON(name, import.meta.url)
  if (path === undefined) throw new Error(`${name} is not installed`)
  return JSON.parse(readFileSync(path, "utf8")).version
}
