/**
 * `pnpm bench:speed`: what this library costs beside what is written by hand and what people use instead, measured in one
 * run, in turns. `--quick` takes two minutes; `--write` puts the figures into `figures.json` and, when they are all there,
 * into the README; `--check` fails when a row misses what it has to reach; words after that choose rows.
 */
import { rmSync } from "node:fs"
import { parseArgs } from "node:util"
import * as Issuer from "../Issuer.ts"
import * as Figures from "./Figures.ts"
import * as Installed from "./Installed.ts"
import * as Machine from "./Machine.ts"
import { libraries } from "./Peers.ts"
import * as Program from "./Program.ts"
import * as Readme from "./Readme.ts"
import { reasons } from "./Reasons.ts"
import type { Figures as FiguresOf, Stage } from "./Row.ts"
import { measurements } from "./Rows.ts"
import * as Table from "./Table.ts"
import * as Versions from "./Versions.ts"

const { positionals, values: { check, quick: isQuick, write } } = parseArgs({
  allowPositionals: true,
  options: {
    check: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    write: { type: "boolean", default: false }
  }
})

const versions = Object.fromEntries(
  ["effect", ...libraries.map(({ name }) => name)].map((name) => [name, Versions.of(name)])
)

const chosen = measurements.filter(({ rows }) =>
  positionals.length === 0 || rows.some(({ id }) => positionals.includes(id))
)

const measureAll = async (stage: Stage): Promise<Readonly<Record<string, FiguresOf>>> => {
  const measured: Record<string, FiguresOf> = {}
  for (const { measure, rows } of chosen) {
    const from = performance.now()
    Object.assign(measured, await measure(stage))
    console.error(`${rows.map(({ id }) => id).join(", ")}: ${((performance.now() - from) / 1000).toFixed(0)} s`)
  }
  return measured
}

const machine = Machine.read()
const installed = await Installed.make()
try {
  const issuer = await Issuer.start()
  const earlier = Figures.read()
  const measured = await measureAll({ isQuick, issuer, installed, earlier, programs: Program.make(installed) })
  const rows = measurements.flatMap(({ rows }) => rows)
  const text = `${Table.make(rows, measured, reasons)}\n\n${Machine.describe(machine)}. ${
    Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(", ")
  }.`
  console.log(text)
  if (write) Figures.write({ machine, isQuick, versions, rows: { ...earlier.rows, ...measured } })
  // A page shows what was measured in one run.
  if (write && chosen.length === measurements.length) Readme.write(text)
  const missed = rows.filter(({ id }) => id in measured).filter((row) => !Table.holds(row, measured[row.id] ?? {}))
  if (check && missed.length > 0) process.exitCode = 1
} finally {
  rmSync(installed.workplace, { recursive: true, force: true })
}
