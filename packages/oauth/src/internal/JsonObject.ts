/**
 * A JSON object read without any benefit of the doubt: strict UTF-8, bounded nesting, no key twice.
 */
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import type { Flaw } from "../OAuthError.ts"

const maximumDepth = 32

/** The own members of an object; an inherited or polluted property never answers. */
export type JsonObject = ReadonlyMap<string, unknown>

const QUOTE = 0x22
const BACKSLASH = 0x5c

const endOfString = (text: string, start: number): number => {
  let index = start + 1
  while (index < text.length && text.charCodeAt(index) !== QUOTE) {
    index += text.charCodeAt(index) === BACKSLASH ? 2 : 1
  }
  return index
}

/** What `JSON.parse` has accepted, looked at again for what it lets pass. */
const flawOf = (text: string): Flaw | undefined => {
  const keys = new Set<unknown>()
  let depth = 0
  let lastString = ""
  for (let index = 0; index < text.length; index++) {
    switch (text[index]) {
      case "\"": {
        const end = endOfString(text, index)
        if (depth === 1) lastString = text.slice(index, end + 1)
        index = end
        break
      }
      case ":": {
        if (depth !== 1) break
        const key: unknown = JSON.parse(lastString)
        if (keys.has(key)) return "duplicate"
        keys.add(key)
        break
      }
      case "{":
      case "[":
        if (++depth > maximumDepth) return "nesting"
        break
      case "}":
      case "]":
        depth--
        break
    }
  }
  return undefined
}

const decodeUtf8 = (bytes: Uint8Array): string | undefined => {
  try {
    // Drops a byte order mark, which every runtime's `JSON.parse` would refuse (and some servers send).
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** The parser's own error quotes the text it refused, so it is dropped here. */
const parseJson = (text: string): Result.Result<unknown, Flaw> =>
  Result.try({ try: (): unknown => JSON.parse(text), catch: () => "json" as const })

export const parse = (bytes: Uint8Array): Result.Result<JsonObject, Flaw> => {
  const text = decodeUtf8(bytes)
  // UTF-16 without surrogates is valid UTF-8 full of NULs.
  if (text === undefined || text.includes("\0")) return Result.fail("encoding")
  if (text.trim() === "") return Result.fail("empty")
  return Result.flatMap(parseJson(text), (json) => {
    if (!Predicate.isObject(json) || Array.isArray(json)) return Result.fail("shape")
    const flaw = flawOf(text)
    return flaw === undefined ? Result.succeed(new Map(Object.entries(json))) : Result.fail(flaw)
  })
}
