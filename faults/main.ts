/**
 * The fault matrix: `pnpm faults` prints one line per fault, with what the caller got and what the other side saw of it.
 * `pnpm faults N6 R3` runs those alone.
 */
import { Cause, Console, Duration, Effect, Exit, Logger } from "effect"
import * as ApiCalls from "./ApiCalls.ts"
import * as Concurrency from "./Concurrency.ts"
import * as Network from "./Network.ts"
import * as Outbound from "./Outbound.ts"
import * as Payload from "./Payload.ts"
import * as Protocol from "./Protocol.ts"
import type { Row } from "./Row.ts"
import * as Time from "./Time.ts"
import * as Tls from "./Tls.ts"

const ranks = "NRCK"

const rankOf = ({ id }: Row): number => ranks.indexOf(id.charAt(0)) * 1000 + Number(id.slice(1))

const all = [
  ...Network.rows,
  ...Tls.rows,
  ...Protocol.rows,
  ...Payload.rows,
  ...Outbound.rows,
  ...ApiCalls.rows,
  ...Time.rows,
  ...Concurrency.rows
].toSorted((one, other) => rankOf(one) - rankOf(other))

const unhandled: Array<unknown> = []
process.on("unhandledRejection", (reason) => unhandled.push(reason))

const judge = Effect.fnUntraced(function*({ fault, id, notHere, run }: Row) {
  if (run === undefined) return { verdict: "N/A" as const, line: `${id} | ${fault} | - | ${notHere} | N/A` }
  const exit = yield* Effect.exit(
    Effect.timeout(Effect.scoped(run), Duration.minutes(3)).pipe(Effect.provide(Logger.layer([])))
  )
  if (Exit.isSuccess(exit)) {
    const { caller, other } = exit.value
    return { verdict: "PASS" as const, line: `${id} | ${fault} | ${caller} | ${other} | PASS` }
  }
  const [why = ""] = Cause.pretty(exit.cause).split("\n    at ")
  return { verdict: "FAIL" as const, line: `${id} | ${fault} | ${why.replaceAll("\n", " ")} | - | FAIL` }
})

const wanted = new Set(process.argv.slice(2))

const program = Effect.gen(function*() {
  const rows = all.filter(({ id }) => wanted.size === 0 || wanted.has(id))
  const judged = yield* Effect.forEach(rows, judge, { concurrency: 4 })
  yield* Console.log("id | fault | what the caller got | what the other side saw | verdict")
  for (const { line } of judged) yield* Console.log(line)
  const count = (verdict: string) => judged.filter((each) => each.verdict === verdict).length
  yield* Console.log(
    `\n${count("PASS")} passed, ${count("FAIL")} failed, ${
      count("N/A")
    } not applicable, ${unhandled.length} unhandled rejections`
  )
  return count("FAIL") + unhandled.length
})

process.exitCode = Math.min(1, await Effect.runPromise(program))
