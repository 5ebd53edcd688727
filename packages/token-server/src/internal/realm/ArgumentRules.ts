/**
 * What may be sent to an upstream, and what may stand in for it.
 */
import { hasControlCharacters, type Issue, refuse, type Setting } from "@effect-identity/oauth/Setting"
import * as Result from "effect/Result"
import type { Argument, Value } from "../../Realm.ts"
import type { RealmConfig } from "../../RealmConfig.ts"

type Given = NonNullable<RealmConfig["arguments"]>[number]

/** Reads `$key_n` or a literal. */
export const readValue = (name: string, given: Given["value"]): Setting<Value> => {
  if (typeof given !== "string" || !given.startsWith("$")) return Result.succeed({ literal: given })
  return /^\$key_[1-8]$/.test(given)
    ? Result.succeed({ key: given.slice(1) })
    : refuse(name, "must name one of key_1 to key_8 after the $")
}

/** {@link readValue}, for what must not be written down in a realm. */
export const readSecretValue = (name: string, given: string): Setting<Value> =>
  Result.flatMap(
    readValue(name, given),
    (value) =>
      "key" in value ? Result.succeed(value) : refuse(name, "is a secret, and must name one of $key_1 to $key_8")
  )

// What the transport says itself, what speaks to proxies and not to the upstream, and what opens metadata services.
const headersNotSent = new Set([
  "accept-encoding",
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "expect",
  "host",
  "http2-settings",
  "keep-alive",
  "metadata",
  "metadata-flavor",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "via",
  "x-google-metadata-request"
])

const isRefusedHeader = (name: string): boolean =>
  headersNotSent.has(name) || /^(?:proxy-|x-forwarded-|x-aws-ec2-metadata-|traceparent$|tracestate$)/.test(name)

const isToken = (name: string): boolean => /^[!#$%&'*+.^_`|~\dA-Za-z-]+$/.test(name)

const nameRule = ({ name, place }: Given): string | undefined => {
  if (name === "__proto__" || name === "constructor" || name === "prototype") return "must not be a name of that kind"
  if (hasControlCharacters(name)) return "must not contain control characters"
  if (place === "path") return /^\w+$/.test(name) ? undefined : "must consist of letters, digits and underscores"
  if (place !== "header") return undefined
  if (!isToken(name)) return "must be the name of a header"
  return isRefusedHeader(name.toLowerCase()) ? "must not be a header that a realm cannot set" : undefined
}

const valueRule = ({ place, value }: Given): string | undefined => {
  if (typeof value !== "string") return undefined
  if (hasControlCharacters(value)) return "must not contain control characters"
  return place === "header" && !/^[\x20-\x7e]*$/.test(value) ? "must be printable ASCII in a header" : undefined
}

const readOne = (at: string, given: Given, issues: Array<Issue>): Argument | undefined => {
  const wrongName = nameRule(given)
  const wrongValue = valueRule(given)
  const value = readValue(`${at}.value`, given.value)
  if (wrongName !== undefined) issues.push({ name: `${at}.name`, rule: wrongName })
  if (wrongValue !== undefined) issues.push({ name: `${at}.value`, rule: wrongValue })
  if (Result.isFailure(value)) issues.push(value.failure)
  return Result.isFailure(value) ? undefined : {
    name: given.place === "header" ? given.name.toLowerCase() : given.name,
    place: given.place,
    value: value.success,
    isForForced: given.when === "forced"
  }
}

/** Reads arguments, and pushes what is wrong with them. */
export const read = (
  at: string,
  given: ReadonlyArray<Given>,
  issues: Array<Issue>
): ReadonlyArray<Argument> => {
  const seen = new Set<string>()
  return given.flatMap((each, index) => {
    const here = `${at}[${index}]`
    const argument = readOne(here, each, issues)
    if (argument === undefined) return []
    const key = JSON.stringify([argument.place, argument.name])
    if (seen.has(key)) issues.push({ name: `${here}.name`, rule: "is there twice" })
    seen.add(key)
    return [argument]
  })
}
