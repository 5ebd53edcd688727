/**
 * `pnpm outage`: what an issuer that fails for most of a token's life, and then past its end, costs those who read the
 * token. `--reads` and `--life` (seconds) choose the size.
 */
import { Client, WorkloadIdentityError } from "@effect-identity/client"
import { Effect } from "effect"
import { setTimeout as wait } from "node:timers/promises"
import { parseArgs } from "node:util"
import * as FailingIssuer from "./FailingIssuer.ts"

const { values } = parseArgs({
  options: { reads: { type: "string", default: "50000" }, life: { type: "string", default: "20" } }
})
const reads = Number(values.reads)
const life = Number(values.life) * 1000

/**
 * An error may come so much before the end as the issuer has it: a life counts from when a token was asked for, which is
 * before that arrived there. To withhold a token in its last fortieth would be twice as much.
 */
const onItsWay = life / 80

interface Read {
  readonly at: number
  readonly error: WorkloadIdentityError | undefined
  readonly isAlive: boolean
}

const read = async (client: Client, issuer: FailingIssuer.FailingIssuer): Promise<Read> => {
  const outcome = await client.getAccessToken().then(
    (token) => ({ token, error: undefined }),
    (error: unknown) => {
      if (error instanceof WorkloadIdentityError) return { token: undefined, error }
      throw error
    }
  )
  const at = performance.now()
  const issued = issuer.issued.find(({ token }) => token === outcome.token)
  return { at, error: outcome.error, isAlive: issued !== undefined && at < issued.until }
}

const readFor = async (client: Client, issuer: FailingIssuer.FailingIssuer, millis: number, count: number) => {
  const found: Array<Read> = []
  const started = performance.now()
  const perTurn = 50
  for (let turn = 0; turn < count / perTurn; turn++) {
    found.push(...await Promise.all(Array.from({ length: perTurn }, () => read(client, issuer))))
    const behind = started + (turn + 1) * millis * perTurn / count - performance.now()
    if (behind > 0) await wait(behind)
  }
  return found
}

/** The most failed requests in any one second. */
const busiestSecond = (times: ReadonlyArray<number>) =>
  Math.max(0, ...times.map((from) => times.filter((at) => at >= from && at < from + 1000).length))

const tokensPastTheirEnd = (found: ReadonlyArray<Read>) => {
  const dead = found.filter(({ error, isAlive }) => error === undefined && !isAlive).length
  return ["tokens past their end", String(dead), dead === 0] as const
}

const promises: Array<readonly [promise: string, measured: string, isKept: boolean]> = []

const program = Effect.gen(function*() {
  const issuer = yield* FailingIssuer.make(life / 1000)
  Object.assign(process.env, {
    COZE_WORKLOAD_IDENTITY_CLIENT_ID: "app",
    COZE_WORKLOAD_IDENTITY_CLIENT_SECRET: "client-secret",
    COZE_WORKLOAD_IDENTITY_TOKEN_ENDPOINT: `${issuer.origin}/token`,
    COZE_WORKLOAD_ACCESS_TOKEN_ENDPOINT: `${issuer.origin}/token`
  })
  const client = new Client({ timeoutMs: 2000 })
  const shareOfLife = (now: number) => (now - (issuer.issued.at(-1)?.at ?? now)) / life

  // A token of this life is due at about half of it.
  issuer.isDown = (now) => shareOfLife(now) >= 0.45 && shareOfLife(now) < 0.95
  const first = yield* Effect.promise(() => readFor(client, issuer, 3.5 * life, reads))
  const kinds = new Set(issuer.failed.map(({ fault }) => fault))
  promises.push(
    ["reads while the issuer fails from 45 % to 95 % of life", `${first.length}`, first.length >= reads],
    [
      "requests it failed, and how",
      `${issuer.failed.length}: ${[...kinds].toSorted().join(", ")}`,
      kinds.size >= Math.min(5, issuer.failed.length)
    ],
    ["errors", String(first.filter(({ error }) => error).length), first.every(({ error }) => error === undefined)],
    tokensPastTheirEnd(first)
  )

  const failedBefore = issuer.failed.length
  const { until } = issuer.issued.at(-1) ?? { until: 0 }
  let restoredAt = Number.POSITIVE_INFINITY
  issuer.isDown = (now) => now < restoredAt
  const down = yield* Effect.promise(() => readFor(client, issuer, until + life / 2 - performance.now(), reads / 5))
  restoredAt = performance.now()
  const remembered = down.at(-1)?.error?.retryAfterMs ?? 0
  const later: Array<Read> = []
  while (later.at(-1)?.isAlive !== true && performance.now() < restoredAt + 60_000) {
    later.push(yield* Effect.promise(() => read(client, issuer)))
    yield* Effect.promise(() => wait(20))
  }
  const errors = down.filter(({ error }) => error)
  const firstError = Math.round((errors[0]?.at ?? Number.POSITIVE_INFINITY) - until)
  const recovered = Math.round((later.at(-1)?.at ?? Number.POSITIVE_INFINITY) - restoredAt)
  const times = issuer.failed.slice(failedBefore).map(({ at }) => at)
  promises.push(
    ["reads while it fails past the end of life", `${down.length}, ${errors.length} errors`, errors.length > 0],
    ["first error after the token's end", `${firstError} ms`, firstError >= -onItsWay],
    tokensPastTheirEnd(down),
    // The error says when to come back; an attempt in the air may have to end first.
    [
      "recovery after the issuer's, cool-down told by the last error",
      `${recovered} ms, ${remembered} ms`,
      recovered <= remembered + 2500
    ],
    ["requests in the busiest second of failing", String(busiestSecond(times)), busiestSecond(times) <= 1]
  )
}).pipe(Effect.scoped)

await Effect.runPromise(program)
for (const [promise, measured, isKept] of promises) {
  console.log(`${isKept ? "kept  " : "BROKEN"} | ${promise} | ${measured}`)
}
process.exitCode = promises.every(([, , isKept]) => isKept) ? 0 : 1
