/**
 * How long nobody asks again after a failure.
 */
import { OAuthError } from "@effect-identity/oauth/OAuthError"
import * as Duration from "effect/Duration"
import type { UpstreamFailed } from "../Failure.ts"

const least = 1000
const most = 30_000
const refusalMemory = 30_000
const longest = 3_600_000

/** Pauses become shorter as the end of a token comes closer, down to this. */
const shortest = 250

/** Whether the same request may succeed later without anyone changing anything. */
export const isRetryable = ({ reason, requestId }: UpstreamFailed): boolean => {
  switch (reason._tag) {
    case "Refused":
      return reason.isRetryable
    case "Unusable":
      return reason.detail === "queue" || reason.detail === "superseded"
    default:
      return new OAuthError({ operation: "tokenCache", reason, requestId }).isRetryable
  }
}

/** Whether the upstream certainly issued nothing. */
export const isSettled = ({ reason }: UpstreamFailed): boolean =>
  reason._tag === "Refused" || reason._tag === "OAuth" || reason._tag === "Throttled"
  || (reason._tag === "Status" && reason.status < 500)
  || (reason._tag === "Transport" && (reason.detail === "refused" || reason.detail === "dns"))

/**
 * Full jitter (a random share of a bound that doubles) on top of a second; for what does not change by itself half a minute,
 * give or take. An upstream that asks for more gets it. Where a token is still held, at most half of the time for which it
 * can be handed out. `drawn` is a random number from 0 to 1, `streak` counts failures in a row.
 */
export const millis = (
  error: UpstreamFailed,
  { drawn, heldFor, streak }: { readonly drawn: number; readonly heldFor: number | undefined; readonly streak: number }
): number => {
  const bound = Math.min(most - least, least * 2 ** Math.min(streak - 1, 20))
  const own = isRetryable(error) ? least + drawn * bound : refusalMemory * (0.5 + drawn / 2)
  const asked = error.retryAfter === undefined ? 0 : Math.min(longest, Duration.toMillis(error.retryAfter))
  const pause = Math.max(own, asked)
  return heldFor === undefined ? pause : Math.min(pause, Math.max(shortest, heldFor / 2))
}
