/**
 * `expires_in` (RFC 6749 §5.1), in all the shapes servers give it.
 */
import * as Result from "effect/Result"
import type { Flaw } from "../OAuthError.ts"

const maximumSeconds = 24 * 60 * 60

// No lifetime reaches 31 years, so numbers of this size are points in time.
const epochSeconds = { from: 1e9, below: 1e10 }
const epochMillis = { from: 1e12, below: 1e13 }

const toNumber = (value: unknown): number | undefined => {
  if (typeof value === "number") return value
  // Number() would also take "", " 1", "0x10", "1e3".
  if (typeof value === "string" && /^[0-9]+$/.test(value)) return Number(value)
  return undefined
}

const isWithin = (value: number, range: { readonly from: number; readonly below: number }): boolean =>
  value >= range.from && value < range.below

/**
 * Seconds of life of a token whose end is told, as a Unix time in seconds or milliseconds: at most a day. Not rounded, so
 * that the end stays what the server said.
 */
const parseUnixTime = (value: unknown, requestedAtMillis: number): Result.Result<number, Flaw> => {
  const number = toNumber(value)
  const millis = number === undefined
    ? undefined
    : isWithin(number, epochSeconds)
    ? Math.floor(number) * 1000
    : isWithin(number, epochMillis)
    ? Math.floor(number)
    : undefined
  if (millis === undefined) return Result.fail("lifetime")
  const left = (millis - requestedAtMillis) / 1000
  return left <= 0 ? Result.fail("expired") : Result.succeed(Math.min(left, maximumSeconds))
}

/**
 * Whole seconds of life, counted from `requestedAtMillis`: rounded down, at most a day. An absolute time in seconds or
 * milliseconds is recognised by its size.
 */
const parseLifetime = (value: unknown, requestedAtMillis: number): Result.Result<number, Flaw> => {
  const number = toNumber(value)
  if (number === undefined || !Number.isFinite(number)) return Result.fail("lifetime")
  const seconds = isWithin(number, epochSeconds)
    ? number - requestedAtMillis / 1000
    : isWithin(number, epochMillis)
    ? (number - requestedAtMillis) / 1000
    : number
  const whole = Math.floor(seconds)
  return whole <= 0 ? Result.fail("expired") : Result.succeed(Math.min(whole, maximumSeconds))
}

export const readers = { lifetime: parseLifetime, unixTime: parseUnixTime } as const
