/**
 * Requests over many connections at once, for some seconds, from a process of its own.
 */
import { execFile } from "node:child_process"
import { createRequire } from "node:module"
import { promisify } from "node:util"

const autocannon = createRequire(import.meta.url).resolve("autocannon")

/** What one run gave. */
export interface Load {
  readonly perSecond: number
  /** Milliseconds in which 99 of 100 requests were answered. */
  readonly p99: number
}

export const connections = 300

export const run = async (url: string, seconds: number, headers: Readonly<Record<string, string>>): Promise<Load> => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    autocannon,
    "--json",
    "--no-progress",
    "-c",
    String(connections),
    "-d",
    String(seconds),
    ...Object.entries(headers).flatMap(([name, value]) => ["-H", `${name}=${value}`]),
    url
  ], { maxBuffer: 1024 ** 3 })
  const { errors, latency, non2xx, requests } = JSON.parse(stdout)
  if (errors + non2xx > 0) throw new Error(`${errors} errors and ${non2xx} answers that were not 200`)
  return { perSecond: requests.average, p99: latency.p99 }
}
