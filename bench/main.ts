// @effect-diagnostics globalDate:off
/**
 * `pnpm bench`: the same things happen to this library and to the ones people use instead, side by side, in one run.
 * `--write` puts the table into the README; words after that choose scenarios.
 */
import { execFileSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { cpus } from "node:os"
import { dirname, join } from "node:path"
import { parseArgs } from "node:util"
import * as Cell from "./Cell.ts"
import type { Client } from "./Client.ts"
import { clients } from "./Clients.ts"
import * as Issuer from "./Issuer.ts"
import { scenarios } from "./Scenarios.ts"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { write: { type: "boolean", default: false } }
})

interface Row {
  readonly title: string
  readonly cells: ReadonlyArray<Cell.Cell>
}

/** Most of the time is spent waiting, so several are measured at once, in the order of the table. */
const atOnce = 4

const each = async (measure: (client: Client) => Promise<Cell.Cell>): Promise<ReadonlyArray<Cell.Cell>> => {
  const cells: Array<Cell.Cell> = []
  for (let from = 0; from < clients.length; from += atOnce) {
    cells.push(...await Promise.all(clients.slice(from, from + atOnce).map(measure)))
  }
  return cells
}

const rows: Array<Row> = []
for (const [id, scenario] of scenarios) {
  if (positionals.length > 0 && !positionals.includes(id)) continue
  const cells = await each((client) => Cell.measure(client, id, scenario))
  rows.push({ title: `${id} · ${scenario.title}`, cells })
  console.error(`${id}: ${cells.map(({ text }) => text).join(" | ")}`)
}
rows.push({
  title: "21 · rejections that nobody handled, in all of these",
  cells: clients.map((_, column) => {
    const unhandled = rows.reduce((sum, { cells }) => sum + (cells[column]?.unhandled ?? 0), 0)
    return { text: String(unhandled), unhandled, isGood: unhandled === 0 }
  })
})
const issuer = await Issuer.start()
rows.push({
  title: "22 · a program with its token that closes nothing ends",
  cells: await each((client) => Cell.linger(client, issuer.url))
})

const versionOf = (name: string): string => {
  const folder = dirname(createRequire(import.meta.url).resolve(name))
  const at = `node_modules/${name}`
  return JSON.parse(readFileSync(join(folder.slice(0, folder.lastIndexOf(at)), at, "package.json"), "utf8")).version
}

const [, ...peers] = clients
const table = [
  ["", "**this**", ...peers.map(({ name }) => `${name} ${versionOf(name)}`)],
  ["", ...clients].map(() => "---"),
  ...rows.map(({ cells, title }) => [title, ...cells.map(({ isGood, text }) => isGood ? `**${text}**` : text)])
].map((cells) => `| ${cells.join(" | ")} |`).join("\n")

const machine = `Node ${process.versions.node}, ${cpus().length} cores (${cpus()[0]?.model.trim()}), ${
  new Date().toISOString().slice(0, 10)
}. Bold is good; "more than ${Cell.cap / 1000} s" is where the measurement ended, not the wait.`

console.log(`${table}\n\n${machine}`)

if (values.write) {
  const readme = join(import.meta.dirname, "../README.md")
  const [start, end] = ["<!-- bench -->", "<!-- /bench -->"]
  const [before = "", rest = ""] = readFileSync(readme, "utf8").split(start)
  writeFileSync(readme, `${before}${start}\n\n${table}\n\n${machine}\n\n${end}${rest.split(end)[1] ?? ""}`)
  execFileSync("dprint", ["fmt", readme], { stdio: "ignore" })
}

const good = rows.filter(({ cells }) => cells[0]?.isGood === true).length
console.log(`\n${good} of ${rows.length} good for this library`)
process.exitCode = good === rows.length ? 0 : 1
