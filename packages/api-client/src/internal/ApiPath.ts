/**
 * Where below the base URL a call goes. A path that could lead anywhere else, for us, for a proxy or for a server that reads
 * it in another way than we do, is refused by the rule it breaks.
 */
import type * as SecureUrl from "@effect-identity/oauth/SecureUrl"
import { hasControlCharacters } from "@effect-identity/oauth/Setting"
import * as Result from "effect/Result"
import { InvalidRequest } from "../ApiError.ts"

const maximumLength = 8192

const refuse = (rule: string) => Result.fail(new InvalidRequest({ field: "path", rule }))

const decode = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

const maximumRounds = 4

/** All that servers make of a path that decode it once, or again and again; nothing when one of them could not. */
const readingsOf = (path: string): ReadonlyArray<string> | undefined => {
  const readings = [path.normalize("NFKC")]
  let text = path
  for (let round = 0; round < maximumRounds; round++) {
    const decoded = decode(text)
    if (decoded === undefined) return round === 0 ? undefined : readings
    if (decoded === text) return readings
    readings.push(decoded, decoded.normalize("NFKC"))
    text = decoded
  }
  return undefined
}

/** Some servers drop what follows a semicolon in a segment. */
const hasDotSegment = (reading: string): boolean =>
  reading.split(/[/\\]/).some((segment) => /^\.{1,2}$/.test(segment.replace(/;.*$/s, "").trim()))

const flawOfReadings = (path: string): string | undefined => {
  const readings = readingsOf(path)
  if (readings === undefined) return "must be percent-encoded UTF-8, and that once"
  if (readings.some(hasControlCharacters)) return "must not contain control characters"
  if (readings.some((reading) => reading.includes("\\"))) return "must not contain backslashes"
  return readings.some(hasDotSegment) ? "must not contain dot segments" : undefined
}

const flawOf = (input: unknown): string | undefined => {
  if (typeof input !== "string") return "must be a string"
  if (input.length > maximumLength) return `must have at most ${maximumLength} characters`
  if (hasControlCharacters(input)) return "must not contain control characters"
  if (!input.isWellFormed()) return "must be well-formed Unicode"
  if (/\s/.test(input)) return "must not contain white space"
  if (input.includes("\\")) return "must not contain backslashes"
  if (input.includes("#")) return "must not contain a fragment"
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(input)) return "must not be an absolute URL"
  if (input.startsWith("//")) return "must not begin with two slashes"
  const [path = ""] = input.split("?", 1)
  const [first = ""] = path.split("/", 1)
  if (first.includes("@")) return "must not begin with user info"
  if (first.includes(":")) return "must not begin with a scheme"
  return flawOfReadings(path)
}

/** The address of `path` below `base`, with exactly one slash between them. */
export const resolve = (base: SecureUrl.SecureUrl, path: string): Result.Result<string, InvalidRequest> => {
  const flaw = flawOf(path)
  if (flaw !== undefined) return refuse(flaw)
  const { origin, pathname } = new URL(base.href)
  const root = origin + pathname.replace(/\/+$/, "")
  const href = URL.parse(path === "" || path.startsWith("?") ? root + path : `${root}/${path.replace(/^\//, "")}`)?.href
  // Whatever was overlooked above has to get past this.
  const isBelow = href !== undefined && new URL(href).origin === origin
    && (href === new URL(root).href || /^[/?]/.test(href.slice(root.length)) && href.startsWith(root))
  return isBelow ? Result.succeed(href) : refuse("must stay below the base URL")
}
