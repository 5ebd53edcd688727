/**
 * JSON that means one thing to every reader: strict UTF-8, bounded nesting, no key twice at any level, none that reaches for a
 * prototype.
 */
import * as Result from "effect/Result"

const maximumDepth = 32

const endOfString = (text: string, start: number): number => {
  let index = start + 1
  while (index < text.length && text[index] !== "\"") index += text[index] === "\\" ? 2 : 1
  return index
}

/** Calls back for every structural character, with the string before it. */
const scan = (
  text: string,
  visit: (character: string, lastString: string) => string | undefined
): string | undefined => {
  let lastString = ""
  for (let index = 0; index < text.length; index++) {
    const character = text[index]
    if (character === "\"") {
      const end = endOfString(text, index)
      lastString = text.slice(index, end + 1)
      index = end
    } else if (character !== undefined && "{}[]:".includes(character)) {
      const flaw = visit(character, lastString)
      if (flaw !== undefined) return flaw
    }
  }
  return undefined
}

/** No parser is asked before this is known. */
const nesting = (text: string): string | undefined => {
  let depth = 0
  return scan(text, (character) => {
    if (character === "{" || character === "[") depth++
    else if (character !== ":") depth--
    return depth > maximumDepth ? `must be at most ${maximumDepth} levels deep` : undefined
  })
}

/** Of a text that is JSON. */
const keys = (text: string): string | undefined => {
  const open: Array<Set<unknown>> = []
  return scan(text, (character, lastString) => {
    if (character === "{" || character === "[") open.push(new Set())
    else if (character !== ":") open.pop()
    else {
      const key: unknown = JSON.parse(lastString)
      if (key === "__proto__") return "must not have a field __proto__"
      if (open.at(-1)?.has(key) === true) return "must not have a field twice"
      open.at(-1)?.add(key)
    }
    return undefined
  })
}

const notJson = "must be JSON in UTF-8"

/** The text of a body that may be parsed, or the rule that it breaks. Nothing of the body is in the rule. */
export const read = (bytes: Uint8Array): Result.Result<string, string> =>
  Result.try({
    try: () => new TextDecoder("utf-8", { fatal: true }).decode(bytes),
    catch: () => notJson
  }).pipe(
    Result.flatMap((text) => {
      const flaw = nesting(text)
      return flaw === undefined ? Result.succeed(text) : Result.fail(flaw)
    }),
    Result.flatMap((text) => Result.try({ try: () => (JSON.parse(text), text), catch: () => notJson })),
    Result.flatMap((text) => {
      const flaw = keys(text)
      return flaw === undefined ? Result.succeed(text) : Result.fail(flaw)
    })
  )
