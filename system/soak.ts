/**
 * `pnpm soak [minutes]`: tokens of two seconds under load, with faults, refusals, forced refreshes and callers who leave.
 * Prints what the process holds at the start, after a warm-up, and at the end, and fails when that has grown.
 */
import { Client } from "@effect-identity/client"
import { Answer, Platform } from "@effect-identity/testing"
import { Effect } from "effect"
import { readdirSync } from "node:fs"
import { setTimeout as wait } from "node:timers/promises"

const minutes = Number(process.argv[2] ?? 1)
const warmUpMillis = Math.min(20_000, minutes * 15_000)

interface Holdings {
  readonly heapMb: number
  readonly descriptors: number
  readonly listeners: number
  readonly resources: number
}

const holdings = async (): Promise<Holdings> => {
  // Sockets that are closing have to have closed.
  await wait(500)
  for (let round = 0; round < 3; round++) globalThis.gc?.()
  return {
    heapMb: Math.round(process.memoryUsage().heapUsed / 1e4) / 100,
    descriptors: readdirSync("/proc/self/fd").length,
    listeners: process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0),
    resources: process.getActiveResourcesInfo().length
  }
}

const counted = { reads: 0, errors: 0, unhandled: 0 }
process.on("unhandledRejection", () => counted.unhandled++)

const settle = async (promise: Promise<unknown>) => {
  try {
    await promise
    counted.reads++
  } catch {
    counted.errors++
  }
}

/** One turn of everything a program does to its tokens. */
const turn = async (clients: ReadonlyArray<Client>, nth: number, fail: (answer: Answer.Answer) => Promise<void>) => {
  const leaving = AbortSignal.timeout(5)
  await Promise.all(clients.flatMap((client, index) => [
    ...Array.from({ length: 20 }, () => settle(client.getAccessToken())),
    settle(client.getProjectEnvVars()),
    ...(nth % 10 === index ? [settle(client.getAccessToken({ forceRefresh: true }))] : []),
    ...(nth % 7 === index ? [settle(client.getAccessToken({ forceRefresh: true, signal: leaving }))] : [])
  ]))
  if (nth % 50 === 0) await fail(Answer.body("", { status: 503 }))
  if (nth % 80 === 0) await fail(Answer.body("<p>", { contentType: "text/html" }))
}

const program = Effect.gen(function*() {
  const platform = yield* Platform.Platform
  const clients = ["ppe_a", "ppe_b", "ppe_c", "ppe_d"].map((COZE_SERVER_ENV) => {
    Object.assign(process.env, { ...platform.env, COZE_SERVER_ENV })
    return new Client({ timeoutMs: 2000 })
  })
  const run = async (millis: number) => {
    const until = performance.now() + millis
    for (let nth = 1; performance.now() < until; nth++) {
      await turn(clients, nth, (answer) => Effect.runPromise(platform.script("idToken", answer)))
      // Forgotten tokens are refused, like revoked ones.
      if (nth % 60 === 0) await Effect.runPromise(platform.forget)
      await wait(25)
    }
    // Connections that wait for more end by themselves.
    await wait(6000)
  }
  yield* Effect.promise(() => run(warmUpMillis))
  yield* platform.forget
  const before = yield* Effect.promise(holdings)
  yield* Effect.promise(() => run(minutes * 60_000))
  yield* platform.forget
  const after = yield* Effect.promise(holdings)
  return { before, after }
}).pipe(Effect.provide(Platform.layer({ lifetime: "2 seconds", variables: [{ key: "A", value: "1" }] })))

const { after, before } = await Effect.runPromise(program)
console.log(
  `${minutes} minutes: ${counted.reads} reads, ${counted.errors} errors, ${counted.unhandled} unhandled rejections`
)
console.table({ before, after })
const isFlat = after.heapMb <= before.heapMb * 1.15 + 1 && after.descriptors <= before.descriptors
  && after.listeners <= before.listeners && after.resources <= before.resources && counted.unhandled === 0
console.log(isFlat ? "flat" : "NOT flat")
process.exitCode = isFlat ? 0 : 1
