/**
 * A program of `programs/`, run by itself and talked to line by line.
 */
import { spawn } from "node:child_process"
import { join } from "node:path"
import { createInterface } from "node:readline"

export interface Answer {
  readonly value?: unknown
  readonly error?: string
  readonly unhandled?: boolean
  readonly millis?: number
}

export interface Child {
  readonly pid: number
  readonly ask: (command: string) => Promise<Answer>
  readonly nextLine: () => Promise<string>
  readonly kill: (signal: NodeJS.Signals) => void
  /** The exit code, and when it came. */
  readonly ended: Promise<{ readonly code: number | null; readonly at: number }>
}

/** Starts a program, behind other commands (`unshare`, for one) when there are any. */
export const start = (
  program: string,
  { args = [], before = [], env }: {
    readonly args?: ReadonlyArray<string>
    readonly before?: ReadonlyArray<string>
    readonly env: Readonly<Record<string, string>>
  }
): Child => {
  const command = [...before, process.execPath, join(import.meta.dirname, "programs", program), ...args]
  const child = spawn(command[0] ?? "", command.slice(1), {
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...env },
    stdio: ["pipe", "pipe", "inherit"]
  })
  const lines = createInterface({ input: child.stdout })
  const iterator = lines[Symbol.asyncIterator]()
  const nextLine = async () => String((await iterator.next()).value)
  return {
    pid: child.pid ?? 0,
    nextLine,
    ask: async (command) => {
      child.stdin.write(`${command}\n`)
      return JSON.parse(await nextLine())
    },
    kill: (signal) => child.kill(signal),
    ended: new Promise((resolve) => child.once("exit", (code) => resolve({ code, at: performance.now() })))
  }
}
