/**
 * How long a token is used: until when it is simply given out, and until when it may be given out at all. Ages in whole
 * milliseconds, counted like those of `Instant.elapsed` from the moment the token was asked for.
 */
import * as Duration from "effect/Duration"
import type { AccessToken } from "../AccessToken.ts"

export interface Lifespan {
  /** From this age on it is replaced while it goes on being given out. */
  readonly refreshAfter: number
  /** From this age on it is not given out any more. */
  readonly usableFor: number
}

export interface Rules {
  readonly refreshShare: number
  readonly margin: number
  readonly marginShare: number
  readonly handOverMinimum: number
}

/** Of a life: what a token that is shorter than the minimum would allow must still be good for. */
const handOverShare = 1 / 40

/**
 * `drawn` is one random number from 0 to 1 for the whole life of this token: drawn again on every look it would make
 * early refreshes likelier than late ones.
 */
export const draw = (token: AccessToken, ageAtLanding: number, drawn: number, rules: Rules): Lifespan => {
  const lifetime = Duration.toMillis(token.lifetime)
  const usableFor = lifetime - Math.min(rules.handOverMinimum, lifetime * handOverShare)
  const byShare = lifetime * (rules.refreshShare - 0.05 + 0.1 * drawn)
  const byMargin = (lifetime - Math.min(rules.margin, lifetime * rules.marginShare)) * (0.9 + 0.1 * drawn)
  // A token that was long on its way is not due the moment it lands, or slow answers would be asked for without a pause.
  const notBefore = ageAtLanding + (usableFor - ageAtLanding) / 4
  return {
    usableFor: Math.ceil(usableFor),
    refreshAfter: Math.ceil(Math.max(Math.min(byShare, byMargin), notBefore))
  }
}
