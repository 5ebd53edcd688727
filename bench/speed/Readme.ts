/**
 * The pages the table stands in.
 */
import { execFileSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

const [start, end] = ["<!-- speed -->", "<!-- /speed -->"] as const

const pages = ["README.md", "README.zh-CN.md"].map((name) => join(import.meta.dirname, "../..", name))

/** The page with this between its marks, or as it was when it has none. */
export const withBetweenMarks = (page: string, text: string): string => {
  const [from, to] = [page.indexOf(start), page.indexOf(end)]
  return from < 0 || to < from ? page : `${page.slice(0, from + start.length)}\n\n${text}\n\n${page.slice(to)}`
}

export const write = (text: string): void => {
  for (const path of pages) writeFileSync(path, withBetweenMarks(readFileSync(path, "utf8"), text))
  execFileSync("dprint", ["fmt", ...pages], { stdio: "ignore" })
}
