/**
 * The token server as its own process: started, asked over HTTP, killed, frozen and started again.
 */
import { Effect, type Scope } from "effect"
import { spawn } from "node:child_process"
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as wait } from "node:timers/promises"
import * as Ports from "../Ports.ts"

const program = join(import.meta.dirname, "../../packages/token-server/src/bin.ts")

/** What Node has compiled once, the next start finds. */
const compiled = join(tmpdir(), "token-server-compiled")

export interface Server {
  readonly pid: number
  readonly port: number
  /** Everything it has written, to both of its outputs. */
  readonly output: () => string
  readonly kill: (signal: NodeJS.Signals) => void
  /** Its exit code, null after a signal. */
  readonly ended: Promise<number | null>
}

export interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

export const freePort: Effect.Effect<number> = Effect.promise(Ports.free)

const isReady = async (port: number): Promise<boolean> => {
  try {
    return (await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(1000) })).ok
  } catch {
    return false
  }
}

const launch = async (port: number, env: Readonly<Record<string, string>>): Promise<Server> => {
  const child = spawn(process.execPath, [program], {
    env: { PATH: process.env["PATH"], NODE_COMPILE_CACHE: compiled, TOKEN_SERVER_PORT: String(port), ...env },
    stdio: ["ignore", "pipe", "pipe"]
  })
  let output = ""
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text
    })
  }
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve))
  while (!await isReady(port)) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}: ${output}`)
    await wait(25)
  }
  return { pid: child.pid ?? 0, port, output: () => output, kill: (signal) => child.kill(signal), ended }
}

/** Starts it, and waits until it is ready. Killed with the scope, if it still runs then. */
export const start = (port: number, env: Readonly<Record<string, string>>): Effect.Effect<Server, never, Scope.Scope> =>
  Effect.acquireRelease(Effect.promise(() => launch(port, env)), (server) => kill(server))

export const kill = (server: Server): Effect.Effect<number | null> =>
  Effect.promise(() => {
    server.kill("SIGKILL")
    return server.ended
  })

/** The admin key that the first start prints. */
export const adminKey = (server: Server): string => {
  const key = /\btsk_[\w-]{43}(?![\w-])/.exec(server.output())?.[0]
  if (key === undefined) throw new Error("no key was printed")
  return key
}

/** Three of them on one database, and the key of their administrator. */
export const startThree = Effect.fnUntraced(function*(env: Readonly<Record<string, string>>) {
  const first = yield* start(yield* freePort, env)
  const servers = [first, yield* start(yield* freePort, env), yield* start(yield* freePort, env)]
  return { key: adminKey(first), first, servers }
})

/** Asks the API as whoever holds the key. Rejects when there is no answer in time. */
export const ask = async (
  port: number,
  key: string,
  method: "DELETE" | "GET" | "POST",
  path: string,
  body?: unknown,
  patience = 10_000
): Promise<Answer> => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    signal: AbortSignal.timeout(patience),
    headers: { authorization: `Bearer ${key}`, ...body === undefined ? {} : { "content-type": "application/json" } },
    ...body === undefined ? {} : { body: JSON.stringify(body) }
  })
  const text = await response.text()
  return { status: response.status, body: text === "" ? {} : JSON.parse(text) }
}

export const token = (
  port: number,
  key: string,
  realm: string,
  secret: string,
  patience?: number
): Promise<Answer> => ask(port, key, "GET", `/api/token?realm=${realm}&key=${secret}`, undefined, patience)

/** The socket that a connection from that port is, in the tables of the kernel. */
const inodeOf = (port: number): string | undefined => {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, "0")}`
  return readFileSync("/proc/net/tcp", "utf8").split("\n").slice(1)
    .map((line) => line.trim().split(/\s+/)).find(([, local]) => local?.endsWith(wanted))?.[9]
}

const linkOf = (path: string): string => {
  try {
    return readlinkSync(path)
  } catch {
    return ""
  }
}

/** Which of the servers a connection comes from. */
export const holderOf = (port: number, servers: ReadonlyArray<Server>): Server | undefined => {
  const link = `socket:[${inodeOf(port)}]`
  return servers.find(({ pid }) => {
    const descriptors = `/proc/${pid}/fd`
    return existsSync(descriptors)
      && readdirSync(descriptors).some((descriptor) => linkOf(join(descriptors, descriptor)) === link)
  })
}

/** A figure for whoever reads what the tests print. */
export const report = (text: string): void => console.log(text)
