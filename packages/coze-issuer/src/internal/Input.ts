/**
 * Settings and fields of requests, whatever their values are: variables are text in most environments and numbers or JSON in
 * some. What breaks a rule becomes an issue that names it; nothing quotes a value.
 */
import type { SecureUrl } from "@effect-identity/oauth/SecureUrl"
import * as Setting from "@effect-identity/oauth/Setting"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"

/** One of them as it was given, and what it is called there. */
export interface Input {
  readonly name: string
  readonly value: unknown
}

export const refuse = ({ name }: Input, rule: string): Setting.Setting<never> => Setting.refuse(name, rule)

export const isAbsent = ({ value }: Input): boolean =>
  value === undefined || value === null || (typeof value === "string" && Setting.isBlank(value))

const asText = (input: Input): Setting.Setting<string | undefined> => {
  const { value } = input
  if (isAbsent(input)) return Result.succeed(undefined)
  return typeof value === "string" || typeof value === "number" || value instanceof URL
    ? Result.succeed(String(value))
    : refuse(input, "must be text")
}

/** What `Setting.text` says, with a rule of one's own for the whole. */
export const matching = (input: Input, pattern: RegExp, rule: string): Setting.Setting<string> =>
  asText(input).pipe(
    Result.flatMap((value) => Setting.text(input.name, value)),
    Result.flatMap((value) => pattern.test(value) ? Result.succeed(value) : refuse(input, rule))
  )

export const text = (input: Input): Setting.Setting<string> =>
  matching(input, /^[\x21-\x7e]{1,1024}$/, "must be at most 1024 printable ASCII characters without blanks")

export const url = (input: Input): Setting.Setting<SecureUrl> =>
  Result.flatMap(asText(input), (value) => Setting.url(input.name, value))

/** Keys in PEM have line breaks, so there is no rule for what is in it. */
export const secret = (input: Input): Setting.Setting<Redacted.Redacted> => {
  if (Redacted.isRedacted(input.value)) return secret({ ...input, value: Redacted.value(input.value) })
  return isAbsent(input) || typeof input.value !== "string"
    ? refuse(input, Setting.missing)
    : Result.succeed(Redacted.make(input.value, { label: input.name }))
}

/** A number, or its digits. */
export const wholeNumber = (input: Input, minimum: number, maximum: number): Setting.Setting<number> => {
  const { value } = input
  const number = typeof value === "string" && /^\s*\d{1,9}\s*$/.test(value) ? Number(value) : value
  return typeof number === "number" && Number.isInteger(number) && number >= minimum && number <= maximum
    ? Result.succeed(number)
    : refuse(input, `must be a whole number from ${minimum} to ${maximum}`)
}

const maximumDepth = 8

/** No class, of whatever realm: an instance may become anything once it is written. */
const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || (Predicate.isObject(prototype) && Object.getPrototypeOf(prototype) === null)
}

const isJson = (value: unknown, depth: number): boolean =>
  Predicate.isObjectOrArray(value)
    ? depth > 0 && (Array.isArray(value) || isPlain(value))
      && Object.values(value).every((each) => isJson(each, depth - 1))
    : value === null || typeof value === "string" || typeof value === "boolean" || Number.isFinite(value)

/** What Coze takes as a scope or the context of a session: passed through as it is. */
export type JsonObject = Readonly<Record<string, unknown>>

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** An object, or its JSON. */
export const jsonObject = (input: Input): Setting.Setting<JsonObject> => {
  const value = typeof input.value === "string" ? parseJson(input.value) : input.value
  return Predicate.isObject(value) && isJson(value, maximumDepth)
    ? Result.succeed({ ...value })
    : refuse(input, `must be a JSON object, at most ${maximumDepth} levels deep`)
}

/** The result of a check, or of none where nothing was given. */
export const optional = <A, B>(
  input: Input,
  check: (input: Input) => Setting.Setting<A>,
  standard: B
): Setting.Setting<A | B> => isAbsent(input) ? Result.succeed(standard) : check(input)
