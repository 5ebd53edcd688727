// @effect-diagnostics globalTimers:off
/**
 * What stands in one place of the table.
 */
import { spawn } from "node:child_process"
import { join } from "node:path"
import type { Client } from "./Client.ts"
import { type Scenario, seconds } from "./Scenario.ts"

export interface Cell {
  readonly text: string
  readonly isGood: boolean
  /** Rejections that nobody handled while it was measured. */
  readonly unhandled: number
}

/** Milliseconds after which a measurement ends: twice what this library takes to give up by default. */
export const cap = 60_000

/** How a program says that it failed to measure, as opposed to a client that ends the process. */
export const notMeasured = 70

interface Run {
  readonly output: string
  readonly code: number | null
  readonly isKilled: boolean
  /** From its first output to its end. */
  readonly lingered: number
}

const run = (program: string, args: ReadonlyArray<string>) =>
  new Promise<Run>((resolve) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, program), ...args], {
      stdio: ["ignore", "pipe", "inherit"]
    })
    let output = ""
    let spokeAt = Number.NaN
    const timer = setTimeout(() => child.kill("SIGKILL"), cap)
    child.stdout.on("data", (chunk) => {
      output += String(chunk)
      spokeAt = performance.now()
    })
    child.once("exit", (code, signal) => {
      clearTimeout(timer)
      resolve({ output, code, isKilled: signal === "SIGKILL", lingered: performance.now() - spokeAt })
    })
  })

const hangs = `more than ${cap / 1000} s`

export const measure = async (
  { name, transport }: Client,
  id: string,
  { good, triesTransport }: Scenario
): Promise<Cell> => {
  if (triesTransport && transport !== undefined) return { text: "not its own transport", isGood: false, unhandled: 0 }
  const { code, isKilled, output } = await run("programs/cell.ts", [name, id])
  if (code === notMeasured) throw new Error(`${name} could not be measured in scenario ${id}`)
  const line = /\{.*\}$/.exec(output)?.[0]
  if (line === undefined) {
    return { text: isKilled ? hangs : `ends the process with ${code}`, isGood: false, unhandled: isKilled ? 0 : 1 }
  }
  const { text, unhandled }: { readonly text: string; readonly unhandled: number } = JSON.parse(line)
  return { text, unhandled, isGood: good.test(text) }
}

/** How long a program lives on that has its token and closes nothing. */
export const linger = async ({ name }: Client, issuer: string): Promise<Cell> => {
  const { isKilled, lingered, output } = await run("programs/brief.ts", [name, issuer])
  const text = isKilled ? hangs : output === "token" ? `after ${seconds(lingered)}` : "gets no token"
  return { text, unhandled: 0, isGood: text.startsWith("after 0") }
}
