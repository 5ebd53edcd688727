/**
 * `pnpm timeline` draws the life of a token as the cache really leads it; `--check` fails when the drawing in the
 * documentation is not that.
 */
import { Effect } from "effect"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Drawing from "./Drawing.ts"
import * as TokenLife from "./TokenLife.ts"

const file = join(import.meta.dirname, "../../docs/cache-timeline.svg")
const seconds = (count: number) => TokenLife.watch(count * 1000)

const [long, ...others] = await Effect.runPromise(
  Effect.all([seconds(3600), seconds(600), seconds(300), seconds(60), seconds(10)])
)
const drawn = Drawing.draw(long, others)

if (!process.argv.includes("--check")) {
  writeFileSync(file, drawn)
  console.log(`drawn from ${long.attempts.length + 1} requests of the cache: docs/cache-timeline.svg`)
} else if (readFileSync(file, "utf8") === drawn) {
  console.log("docs/cache-timeline.svg shows what the cache does")
} else {
  console.error("docs/cache-timeline.svg is out of date: run `pnpm timeline`")
  process.exitCode = 1
}
