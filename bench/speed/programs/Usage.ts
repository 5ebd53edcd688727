/**
 * What this process has taken since it started, its peak in memory included.
 */
import { existsSync, readFileSync } from "node:fs"
import type { Figure } from "../Row.ts"

const status = "/proc/self/status"

/** Linux counts what the process was before it became this program into what it tells any other way. */
const peakKibibytes = (): number => {
  const peak = existsSync(status) ? /VmHWM:\s*(\d+) kB/.exec(readFileSync(status, "utf8"))?.[1] : undefined
  return peak === undefined ? process.resourceUsage().maxRSS : Number(peak)
}

export const usage = (): Figure => {
  const ms = performance.now()
  return { ms, mebibytes: peakKibibytes() / 1024 }
}
