/**
 * Rules for one setting each. A setting that breaks a rule becomes an issue that names it; nothing quotes its value.
 */
import * as SecureUrl from "@effect-identity/oauth/SecureUrl"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { Issue } from "../ConfigurationError.ts"

type Setting<A> = Result.Result<A, Issue>

/** One setting as it was given, and what it is called there. */
export interface Given {
  readonly name: string
  readonly value: unknown
}

export const refuse = ({ name }: Given, rule: string): Setting<never> => Result.fail({ name, rule })

export const isAbsent = ({ value }: Given): boolean =>
  value === undefined || value === null || (typeof value === "string" && value.trim() === "")

/** One line break at the end is dropped: mounted secrets tend to have it. */
export const text = (given: Given): Setting<string> => {
  if (isAbsent(given)) return refuse(given, "is missing")
  const value = String(given.value).replace(/\r?\n$/, "")
  return /^[\x21-\x7e]{1,1024}$/.test(value)
    ? Result.succeed(value)
    : refuse(given, "must be at most 1024 printable ASCII characters without blanks")
}

/** What {@link text} says, with a rule of one's own for the whole. */
export const matching = (given: Given, pattern: RegExp, rule: string): Setting<string> =>
  Result.flatMap(text(given), (value) => pattern.test(value) ? Result.succeed(value) : refuse(given, rule))

export const url = (given: Given): Setting<SecureUrl.SecureUrl> =>
  Result.flatMap(
    text(given),
    (value) => Result.mapError(SecureUrl.parse(value), ({ rule }) => ({ name: given.name, rule }))
  )

export const secret = (given: Given): Setting<Redacted.Redacted> => {
  if (Redacted.isRedacted(given.value)) return secret({ ...given, value: Redacted.value(given.value) })
  return isAbsent(given) || typeof given.value !== "string"
    ? refuse(given, "is missing")
    : Result.succeed(Redacted.make(given.value, { label: given.name }))
}

/** A number, or its digits: variables of an environment are text in most places and numbers in some. */
export const wholeNumber = (given: Given, minimum: number, maximum: number): Setting<number> => {
  const { value } = given
  const number = typeof value === "string" && /^\s*\d{1,9}\s*$/.test(value) ? Number(value) : value
  return typeof number === "number" && Number.isInteger(number) && number >= minimum && number <= maximum
    ? Result.succeed(number)
    : refuse(given, `must be a whole number from ${minimum} to ${maximum}`)
}

const maximumDepth = 8

const isShallow = (value: unknown, depth: number): boolean =>
  typeof value !== "object" || value === null
  || (depth > 0 && Object.values(value).every((each) => isShallow(each, depth - 1)))

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
export const jsonObject = (given: Given): Setting<JsonObject> => {
  const value = typeof given.value === "string" ? parseJson(given.value) : given.value
  return Predicate.isObject(value) && !Array.isArray(value) && isShallow(value, maximumDepth)
    ? Result.succeed({ ...value })
    : refuse(given, `must be a JSON object, at most ${maximumDepth} levels deep`)
}

/** The result of a check, or of none where nothing was given. */
export const optional = <A, B>(given: Given, check: (given: Given) => Setting<A>, standard: B): Setting<A | B> =>
  isAbsent(given) ? Result.succeed(standard) : check(given)
