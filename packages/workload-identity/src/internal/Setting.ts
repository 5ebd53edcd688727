/**
 * Rules for one setting each. A setting that breaks a rule becomes an issue that names it; nothing quotes its value.
 */
import * as SecureUrl from "@effect-identity/oauth/SecureUrl"
import * as Duration from "effect/Duration"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as EnvKeys from "../EnvKeys.ts"
import { ConfigurationError, type ConfigurationIssue } from "../WorkloadIdentityError.ts"

type Setting<A> = Result.Result<A, ConfigurationIssue>

const refuse = (name: string, rule: string): Setting<never> => Result.fail({ name, rule })

export const isBlank = (raw: string | undefined): raw is undefined | "" => raw === undefined || raw.trim() === ""

// eslint-disable-next-line no-control-regex
export const hasControlCharacters = (text: string): boolean => /[\x00-\x1f\x7f]/.test(text)

/** One line break at the end is dropped: mounted secrets tend to have it. */
export const text = (name: string, raw: string | undefined): Setting<string> => {
  if (isBlank(raw)) return refuse(name, ConfigurationError.missing)
  const value = raw.replace(/\r?\n$/, "")
  if (value !== value.trim()) return refuse(name, "must not begin or end with white space")
  if (hasControlCharacters(value)) return refuse(name, "must not contain control characters")
  return Result.succeed(value)
}

export const secret = (name: string, raw: string | undefined): Setting<Redacted.Redacted> =>
  Result.map(text(name, raw), (value) => Redacted.make(value, { label: name }))

export const url = (name: string, raw: string | undefined): Setting<SecureUrl.SecureUrl> =>
  Result.flatMap(text(name, raw), (value) => Result.mapError(SecureUrl.parse(value), ({ rule }) => ({ name, rule })))

export const optionalUrl = (name: string, raw: string | undefined): Setting<SecureUrl.SecureUrl | undefined> =>
  isBlank(raw) ? Result.succeed(undefined) : url(name, raw)

/** A lane becomes a header, so it is held to what a header can carry. */
export const lane = (name: string, raw: string | undefined): Setting<string | undefined> => {
  if (isBlank(raw) || raw === EnvKeys.DEFAULT_COZE_SERVER_ENV) return Result.succeed(undefined)
  if (raw !== raw.trim()) return refuse(name, "must not begin or end with white space")
  return /^[\x20-\x7e]{1,256}$/.test(raw)
    ? Result.succeed(raw)
    : refuse(name, "must be at most 256 printable ASCII characters")
}

/** Longer timers fire at once in JavaScript. */
const maximumMillis = 2 ** 31 - 1

const between = (name: string, input: Duration.Input, minimumMillis: number): Setting<Duration.Duration> => {
  const parsed = Result.fromOption(Duration.fromInput(input), () => ({ name, rule: "must be a duration" }))
  return Result.flatMap(parsed, (value) => {
    const millis = Duration.toMillis(value)
    return millis >= minimumMillis && millis <= maximumMillis
      ? Result.succeed(value)
      : refuse(name, `must be from ${minimumMillis} to ${maximumMillis} milliseconds`)
  })
}

export const timeout = (name: string, input: Duration.Input) => between(name, input, 1)

/** May be nothing. */
export const duration = (name: string, input: Duration.Input) => between(name, input, 0)
