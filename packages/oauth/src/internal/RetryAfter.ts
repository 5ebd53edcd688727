/**
 * `Retry-After` (RFC 9110 §10.2.3), in seconds or as a date.
 */
import * as Duration from "effect/Duration"

const maximum = Duration.hours(1)

const millisUntil = (date: string, reference: string | undefined, now: number): number | undefined => {
  const then = Date.parse(date)
  if (Number.isNaN(then) || !date.endsWith("GMT")) return undefined
  // The server's own clock, when it tells, so that ours may be wrong.
  const serverNow = Date.parse(reference ?? "")
  return Math.max(0, then - (Number.isNaN(serverNow) ? now : serverNow))
}

/** How long to wait, an hour at most; nothing when the server does not say, or says nonsense. */
export const parse = (
  retryAfter: string | undefined,
  date: string | undefined,
  now: number
): Duration.Duration | undefined => {
  const value = retryAfter?.trim() ?? ""
  const millis = /^\d{1,10}$/.test(value) ? Number(value) * 1000 : millisUntil(value, date?.trim(), now)
  return millis === undefined ? undefined : Duration.min(Duration.millis(millis), maximum)
}
