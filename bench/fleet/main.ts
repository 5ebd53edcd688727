/**
 * `pnpm fleet`: a thousand and a hundred thousand workloads that were started together, and what their issuer sees. Some
 * minutes and 1 GB of memory; `--quick` leaves the large fleet out. Draws what it saw into the documentation.
 */
import { Effect } from "effect"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Fleet from "./Fleet.ts"
import * as Plot from "./Plot.ts"

const isQuick = process.argv.includes("--quick")

const count = (value: number): string => value.toLocaleString("en-US")
const percent = (share: number): string => `${(share * 100).toFixed(2)} %`
const clock = (second: number): string =>
  `${Math.floor(second / 3600)} h ${Math.floor(second / 60) % 60} min ${second % 60} s`

const measure = async (title: string, setting: Fleet.Setting): Promise<Fleet.Course> => {
  const course = await Effect.runPromise(Fleet.run(setting))
  const { count: most, second, share } = Fleet.busiest(course)
  console.log([
    title,
    `  first second            ${count(course.requests[0] ?? 0)} token requests`,
    `  busiest second after    ${count(most)}, ${percent(share)} of the fleet, at ${clock(second)}`,
    `  per workload and hour   ${Fleet.rate(course).toFixed(2)} token requests`,
    `  reads                   ${count(course.reads)}, of which ${
      count(Fleet.troubled(course))
    } waited or failed after the first`
  ].join("\n"))
  return course
}

// Often enough that it is not the reads that spread the refreshes: where all are due at once, a fifteenth would ask in a second.
const calm = { hours: 3, lifetime: "1 hour", readEvery: 15 } as const
const few = await measure("1,000 workloads, tokens of an hour", { ...calm, workloads: 1000 })
for (const lifetime of ["10 minutes", "5 minutes", "1 minute"] as const) {
  await measure(`1,000 workloads, tokens of ${lifetime}`, { workloads: 1000, hours: 0.5, lifetime, readEvery: 1 })
}
const down = await measure("1,000 workloads, tokens of an hour, issuer down for ten minutes", {
  workloads: 1000,
  hours: 2,
  lifetime: "1 hour",
  readEvery: 5,
  outage: { from: "40 minutes", lasting: "10 minutes" }
})
const shares = [Fleet.busiest(few).share]
if (!isQuick) {
  const many = await measure("100,000 workloads, tokens of an hour", { ...calm, workloads: 100_000 })
  shares.push(Fleet.busiest(many).share)
  writeFileSync(join(import.meta.dirname, "../../docs/fleet.svg"), Plot.draw({ few, many, down }))
  console.log("drawn: docs/fleet.svg")
}
process.exitCode = shares.every((share) => share < Plot.limit) ? 0 : 1
