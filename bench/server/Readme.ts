/**
 * Where the figures stand.
 */
import { execFileSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

const page = join(import.meta.dirname, "../../packages/token-server/README.md")

const marks = /(?<=<!-- bench -->\n)[^]*(?=<!-- \/bench -->)/

export const write = (text: string): void => {
  const before = readFileSync(page, "utf8")
  if (!marks.test(before)) throw new Error(`${page} has no marks for the figures`)
  writeFileSync(page, before.replace(marks, `\n${text}\n\n`))
  execFileSync("dprint", ["fmt", page], { stdio: "ignore" })
}
