// @effect-diagnostics globalDate:off
/**
 * Where and when it was measured.
 */
import { cpus, loadavg, release, type } from "node:os"

export interface Machine {
  readonly node: string
  readonly system: string
  readonly processor: string
  readonly cores: number
  /** Others that ran at the same time, on average over a minute, when it began. */
  readonly load: number
  readonly day: string
}

export const read = (): Machine => ({
  node: process.versions.node,
  system: `${type()} ${release().replace(/-.*$/, "")}`,
  processor: cpus()[0]?.model.trim() ?? "unknown",
  cores: cpus().length,
  load: loadavg()[0] ?? Number.NaN,
  day: new Date().toISOString().slice(0, 10)
})

export const describe = ({ cores, day, load, node, processor, system }: Machine): string =>
  `Node ${node}, ${cores} cores (${processor}), ${system}, load ${load.toFixed(1)} at the start, ${day}`
