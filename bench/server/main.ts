/**
 * `pnpm bench:server`: a held token from the token server, beside a bare `node:http` server, in turns; and a key that nobody
 * has asked for yet, asked for by many on three servers. `--rounds` and `--seconds` of each; `--write` puts the figures into
 * the README of the package.
 */
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { parseArgs } from "node:util"
import * as KillingIssuer from "../../system/token-server/KillingIssuer.ts"
import * as Server from "../../system/token-server/Server.ts"
import * as Storage from "../../system/token-server/Storage.ts"
import * as Machine from "../speed/Machine.ts"
import { median } from "../speed/Statistics.ts"
import * as Load from "./Load.ts"
import * as Readme from "./Readme.ts"

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "8" },
    write: { type: "boolean", default: false }
  }
})

const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)]

const bare = Effect.gen(function*() {
  const port = yield* Server.freePort
  yield* Effect.acquireRelease(
    Effect.promise(async () => {
      const child = spawn(process.execPath, [`${import.meta.dirname}/bare.ts`, String(port)], {
        stdio: ["ignore", "pipe", "inherit"]
      })
      await once(child.stdout, "data")
      return child
    }),
    (child) => Effect.sync(() => child.kill())
  )
  return `http://127.0.0.1:${port}/`
})

const ask = (...args: Parameters<typeof Server.ask>) =>
  Effect.promise(async () => {
    const { body, status } = await Server.ask(...args)
    if (status >= 300) throw new Error(`HTTP ${status}: ${JSON.stringify(body)}`)
    return body
  })

const measure = Effect.gen(function*() {
  const machine = Machine.read()
  const issuer = yield* KillingIssuer.make({ life: 7_200_000, overlap: 300_000, pause: 50 })
  const { first, key, servers } = yield* Server.startThree(yield* Storage.sqlite)
  const config = {
    preset: "wechat",
    url: `${issuer.origin}/cgi-bin/token`,
    private_addresses: [new URL(issuer.origin).host]
  }
  yield* ask(first.port, key, "POST", "/api/realm", { id: "wx", config })
  const secret = { realm: "wx", key_1: "wx-app-id", key_2: "wx-secret-of-the-app" }
  yield* ask(first.port, key, "POST", "/api/secret", { ...secret, key: "cold" })
  yield* ask(first.port, key, "POST", "/api/secret", { ...secret, key: "held" })

  const cold = yield* Effect.promise(() =>
    Promise.all(
      servers.flatMap(({ port }) => Array.from({ length: 100 }, () => Server.token(port, key, "wx", "cold", 30_000)))
    )
  )
  const upstream = issuer.issued.length
  for (const other of servers.slice(1)) yield* Server.kill(other)

  yield* Effect.promise(() => Server.token(first.port, key, "wx", "held"))
  const bareUrl = yield* bare
  const url = `http://127.0.0.1:${first.port}/api/token?realm=wx&key=held`
  const headers = { authorization: `Bearer ${key}` }
  const loads: { readonly ours: Array<Load.Load>; readonly bare: Array<Load.Load> } = { ours: [], bare: [] }
  yield* Effect.promise(async () => {
    await Load.run(url, 2, headers)
    await Load.run(bareUrl, 2, headers)
    for (let round = 0; round < rounds; round++) {
      loads.ours.push(await Load.run(url, seconds, headers))
      loads.bare.push(await Load.run(bareUrl, seconds, headers))
    }
  })
  const tokens = new Set(cold.map(({ body }) => body["token"]))
  return { machine, cold: { tokens: tokens.size, upstream }, loads }
})

const whole = (value: number) => Math.round(value).toLocaleString("en-US")

const { cold, loads, machine } = await Effect.runPromise(Effect.scoped(measure))
const [ours, least] = [loads.ours, loads.bare].map((runs) => ({
  perSecond: median(runs.map(({ perSecond }) => perSecond)),
  p99: median(runs.map(({ p99 }) => p99))
}))
const share = Math.round(((ours?.perSecond ?? 0) / (least?.perSecond ?? 1)) * 100)
const text = [
  `| ${Load.connections} connections | requests per second | 99 % answered within |`,
  "| --- | --- | --- |",
  `| token server, a held token | ${whole(ours?.perSecond ?? 0)} (${share} %) | ${ours?.p99} ms |`,
  `| bare \`node:http\` server, a constant answer | ${whole(least?.perSecond ?? 0)} | ${least?.p99} ms |`,
  "",
  `A key that nobody had asked for, 300 callers on three servers: ${cold.upstream} request to the upstream, `
  + `${cold.tokens} token.`,
  "",
  `Medians of ${rounds} rounds of ${seconds} seconds in turns, the generator of the load on the same machine, SQLite. `
  + `${Machine.describe(machine)}.`
].join("\n")
console.log(text)
if (values.write) Readme.write(text)
process.exit(0)
