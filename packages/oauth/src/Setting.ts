/**
 * Rules for one setting each. A setting that breaks a rule becomes an issue that names it; nothing quotes its value.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as SecureUrl from "./SecureUrl.ts"

/**
 * What is wrong with a setting.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export interface Issue {
  readonly name: string
  readonly rule: string
}

/**
 * A setting that keeps its rule, or the issue with it.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Setting<A> = Result.Result<A, Issue>

/**
 * The rule of a setting that is absent, empty or blank.
 *
 * @stability unstable
 * @category constants
 * @since 0.1.0
 */
export const missing = "is missing"

/**
 * A setting that breaks a rule.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const refuse = (name: string, rule: string): Setting<never> => Result.fail({ name, rule })

/**
 * Whether there is nothing to be seen of it.
 *
 * @stability unstable
 * @category predicates
 * @since 0.1.0
 */
export const isBlank = (raw: string | undefined): raw is undefined | "" => raw === undefined || raw.trim() === ""

/**
 * Whether there is one of U+0000 to U+001F, or U+007F, in a text.
 *
 * @stability unstable
 * @category predicates
 * @since 0.1.0
 */
// eslint-disable-next-line no-control-regex
export const hasControlCharacters = (text: string): boolean => /[\x00-\x1f\x7f]/.test(text)

/**
 * A text that is not blank, without white space around it and without control characters. One line break at the end is
 * dropped: mounted secrets tend to have it.
 *
 * @example
 * ```ts
 * import { Setting } from "@effect-identity/oauth"
 * import { Result } from "effect"
 *
 * Result.getOrThrow(Setting.text("clientId", "app\n")) // => "app"
 * Result.isFailure(Setting.text("clientId", " app")) // => true
 * ```
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const text = (name: string, raw: string | undefined): Setting<string> => {
  if (isBlank(raw)) return refuse(name, missing)
  const value = raw.replace(/\r?\n$/, "")
  if (value !== value.trim()) return refuse(name, "must not begin or end with white space")
  if (hasControlCharacters(value)) return refuse(name, "must not contain control characters")
  return Result.succeed(value)
}

/**
 * {@link text}, redacted.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const secret = (name: string, raw: string | undefined): Setting<Redacted.Redacted> =>
  Result.map(text(name, raw), (value) => Redacted.make(value, { label: name }))

/**
 * An address that a credential may be sent to.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const url = (name: string, raw: string | undefined): Setting<SecureUrl.SecureUrl> =>
  Result.flatMap(text(name, raw), (value) => Result.mapError(SecureUrl.parse(value), ({ rule }) => ({ name, rule })))

/**
 * {@link url}, or nothing when it is blank.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const optionalUrl = (name: string, raw: string | undefined): Setting<SecureUrl.SecureUrl | undefined> =>
  isBlank(raw) ? Result.succeed(undefined) : url(name, raw)

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

/**
 * How long something may take: a millisecond at least, and no longer than timers can wait.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const timeout = (name: string, input: Duration.Input): Setting<Duration.Duration> => between(name, input, 1)

/**
 * {@link timeout}, but it may be nothing.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const duration = (name: string, input: Duration.Input): Setting<Duration.Duration> => between(name, input, 0)
