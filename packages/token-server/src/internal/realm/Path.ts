/**
 * Paths into answers: names of own members and places in lists, with dots between.
 */
import type { Path } from "../../Realm.ts"

const maximumDepth = 16

const refused = new Set(["__proto__", "prototype", "constructor"])

/** Undefined when there is nothing between two dots, too much of it, or a name that no answer has. */
export const parse = (text: string): Path | undefined => {
  const path = text.split(".")
  return path.length > maximumDepth || path.some((name) => name === "" || refused.has(name)) ? undefined : path
}

const step = (value: unknown, name: string): unknown => {
  if (Array.isArray(value)) return /^(?:0|[1-9]\d{0,5})$/.test(name) ? value.at(Number(name)) : undefined
  if (typeof value !== "object" || value === null) return undefined
  return Object.getOwnPropertyDescriptor(value, name)?.value
}

/** What stands there in what was read of JSON, or undefined. Never anything inherited. */
export const read = (members: ReadonlyMap<string, unknown>, path: Path): unknown => {
  const [first, ...rest] = path
  return first === undefined ? undefined : rest.reduce(step, members.get(first))
}
