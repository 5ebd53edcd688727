/**
 * How long a server asks to wait: `Retry-After` (RFC 9110 §10.2.3), in seconds or as a date, or else the moment a rate
 * limit is lifted, `X-RateLimit-Reset`.
 */
import * as Duration from "effect/Duration"

export interface Told {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
}

const maximum = Duration.hours(1)

/** The server's own clock, when it tells, so that ours may be wrong. */
const clockOf = (headers: Told["headers"], now: number): number => {
  const serverNow = Date.parse(headers["date"]?.trim() ?? "")
  return Number.isNaN(serverNow) ? now : serverNow
}

const millisUntil = (date: string, now: number): number | undefined => {
  const then = Date.parse(date)
  return Number.isNaN(then) || !date.endsWith("GMT") ? undefined : then - now
}

// No wait reaches 31 years, so numbers of this size are points in time.
const smallestEpochSeconds = 1e9
const smallestEpochMillis = 1e12

/** A Unix time in seconds, or in milliseconds; some servers give the seconds that are left instead. */
const millisUntilReset = (value: string, now: number): number | undefined => {
  if (!/^\d{1,13}$/.test(value)) return undefined
  const number = Number(value)
  if (number >= smallestEpochMillis) return number - now
  return number >= smallestEpochSeconds ? number * 1000 - now : number * 1000
}

/** Servers tell the reset with every answer; it is something to wait for where the limit is what was met. */
const isLimited = ({ headers, status }: Told): boolean =>
  status === 429 || (status === 503 && headers["x-ratelimit-remaining"]?.trim() === "0")

/** How long to wait, an hour at most; nothing when the server does not say, or says nonsense. */
export const parse = (told: Told, now: number): Duration.Duration | undefined => {
  const { headers } = told
  const asked = headers["retry-after"]?.trim() ?? ""
  const reset = headers["x-ratelimit-reset"]?.trim() ?? ""
  const millis = (/^\d{1,10}$/.test(asked) ? Number(asked) * 1000 : millisUntil(asked, clockOf(headers, now)))
    ?? (isLimited(told) ? millisUntilReset(reset, clockOf(headers, now)) : undefined)
  return millis === undefined ? undefined : Duration.min(Duration.millis(Math.max(0, millis)), maximum)
}
