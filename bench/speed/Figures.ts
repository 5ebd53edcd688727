/**
 * `figures.json`: all that was measured, of everyone.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Machine } from "./Machine.ts"
import type { Figures } from "./Row.ts"

export interface Record {
  readonly machine: Machine
  /** Whether it was the thorough run. */
  readonly isQuick: boolean
  readonly versions: Readonly<globalThis.Record<string, string>>
  readonly rows: Readonly<globalThis.Record<string, Figures>>
}

const path = join(import.meta.dirname, "figures.json")

const rounded = (_: string, value: unknown): unknown =>
  typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value

export const read = (): Pick<Record, "versions" | "rows"> =>
  existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : { versions: {}, rows: {} }

export const write = (record: Record): void => writeFileSync(path, `${JSON.stringify(record, rounded, 2)}\n`)
