/**
 * Where the links of a page lead. Other hosts are not asked, and drawings are made by scripts of their own.
 */
import { existsSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"

const link = /\]\(([^)\s]+)\)/g

/** What a heading is called in a link, as the sites that show these pages have it. */
const anchorOf = (heading: string): string =>
  heading.trim().toLowerCase().replaceAll(/[^\p{L}\p{N}_ -]/gu, "").replaceAll(" ", "-")

const anchorsOf = (path: string): ReadonlyArray<string> =>
  Array.from(readFileSync(path, "utf8").matchAll(/^#{1,6} (.+)$/gm), ([, heading = ""]) => anchorOf(heading))

const isFound = (path: string, target: string): boolean => {
  const [file = "", anchor] = target.split("#", 2)
  const found = file === "" ? path : join(dirname(path), file)
  return existsSync(found) && (anchor === undefined || anchorsOf(found).includes(decodeURIComponent(anchor)))
}

/** The links of a page that lead nowhere. */
export const flawsOf = (path: string): ReadonlyArray<string> =>
  Array.from(readFileSync(path, "utf8").matchAll(link), ([, target = ""]) => target)
    .filter((target) => !/^[a-z]+:/.test(target) && !target.endsWith(".svg") && !isFound(path, target))
    .map((target) => `${path} links to ${target}, which is not there`)
