/**
 * A token in memory. How much of its life is left and how old what is known of it is are questions to both clocks, asked
 * when it is handed out: a process that was stopped and goes on must not hand out what ended or was replaced meanwhile.
 */
import * as Instant from "@effect-identity/oauth/Instant"
import * as Duration from "effect/Duration"
import type * as Redacted from "effect/Redacted"
import type { Realm } from "../../Realm.ts"
import type { Claim, Reading, SecretVersion } from "../store/TokenStore.ts"
import type { HandedOut } from "./Tokens.ts"

/** A token that the database does not have yet. */
export interface Unstored {
  /** Undefined where it was fetched without one, because the database took none. */
  readonly claim: Claim | undefined
  readonly sentAt: number
  readonly expiresAt: number
}

export interface Held {
  readonly value: Redacted.Redacted
  readonly version: number
  readonly secret: SecretVersion
  readonly unstored: Unstored | undefined
  /** Its whole life in milliseconds, and what was left of it at a moment. */
  readonly lifetime: number
  readonly left: number
  readonly leftAt: Instant.Instant
  /** It is replaced when less than this is left. Drawn once: drawn at every look, it would come early. */
  readonly dueBelow: number
  /** When it was last seen in the database to be the one in use. */
  readonly checkedAt: Instant.Instant
  /** From this age of that look on it is looked at again, and from this one on before it is handed out. */
  readonly checkAfter: number
  readonly checkBefore: number
  /** From this age of that look on it may have ended, because somebody asked for another one and has not been heard of. */
  readonly doubtfulAfter: number
  /** From this age on it is not handed out for want of a better one either: whoever gets it could not use it for long. */
  readonly lostAfter: number
  /** From this age of that look on it has to be looked at again, however slow the database is. */
  readonly blindBefore: number
  /** Somebody asked for another one, and will not be heard of. */
  readonly isOrphaned: boolean
}

const margin = 60_000

/** What a token must be good for where it is the last that there is. */
export const handOverMinimum = (lifetime: number): number => Math.min(1000, lifetime / 40)

/** How much life a caller can ask for: no more than half of it, so that tokens are used for a while at all. */
export const neededLife = (lifetime: number, minTtl: number | undefined): number =>
  Math.max(handOverMinimum(lifetime), Math.min(minTtl ?? 0, lifetime / 2))

/**
 * After three quarters of its life and at random a little later, or a minute before its end, or in the middle of a life of
 * less than two; not while the token before it is still good.
 */
export const dueBelow = (lifetime: number, overlap: number | undefined, drawn: number): number => {
  const share = lifetime * (0.25 - 0.05 * drawn)
  const least = Math.min(margin, lifetime / 2) * (1 + 0.1 * drawn)
  const most = overlap === undefined ? lifetime : lifetime - overlap
  return Math.max(2 * handOverMinimum(lifetime), Math.min(Math.max(share, least), most))
}

/** How long what is known of a token is good for: until it is looked at again, and at most. */
const trust = (overlap: number | undefined) => {
  const most = overlap === undefined ? 10_000 : Math.min(5000, overlap / 8)
  return { checkAfter: most / 2, checkBefore: most }
}

/** A token that was replaced unseen is handed out for so long, which leaves most of the overlap to whoever gets it. */
const unseenShare = 1 / 4

/** A token that may have ended unseen is the last resort for so long, which leaves the other half to whoever gets it. */
const lastShare = 1 / 2

const overlapOf = (realm: Realm): number | undefined =>
  realm.overlap === undefined ? undefined : Duration.toMillis(realm.overlap)

/** For how long a token is handed out that may have been replaced by one that nobody holds, in milliseconds. */
export const unseenFor = (realm: Realm): number => (overlapOf(realm) ?? Number.POSITIVE_INFINITY) * unseenShare

/** What a reading says about the token that is stored, from when the reading began. */
export const seen = (
  reading: Reading,
  readAt: Instant.Instant,
  realm: Realm
): Pick<
  Held,
  "blindBefore" | "checkAfter" | "checkBefore" | "checkedAt" | "doubtfulAfter" | "isOrphaned" | "lostAfter"
> => {
  const overlap = overlapOf(realm)
  const { doubtSince, isLeased, now } = reading
  const after = (share: number) =>
    overlap === undefined || doubtSince === undefined
      ? Number.POSITIVE_INFINITY
      : overlap * share - (now - doubtSince)
  return {
    ...trust(overlap),
    checkedAt: readAt,
    doubtfulAfter: after(unseenShare),
    lostAfter: after(lastShare),
    blindBefore: overlap === undefined ? Number.POSITIVE_INFINITY : overlap * lastShare,
    isOrphaned: overlap !== undefined && doubtSince !== undefined && !isLeased
  }
}

/** A token and what is known of it. */
export const make = (
  token: Pick<Held, "left" | "leftAt" | "lifetime" | "secret" | "unstored" | "value" | "version">,
  look: ReturnType<typeof seen>,
  realm: Realm,
  drawn: number
): Held => ({ ...token, ...look, dueBelow: dueBelow(token.lifetime, overlapOf(realm), drawn) })

/** What is left of its life, in milliseconds. */
export const remaining = ({ left, leftAt }: Held, now: Instant.Instant): number => left - Instant.elapsed(leftAt, now)

/** Whether there is life left in it, if it was not replaced. */
export const isAlive = (held: Held, now: Instant.Instant): boolean =>
  remaining(held, now) > handOverMinimum(held.lifetime)

/** Whether it may be handed out where nothing better is to be had. */
export const isLastResort = (held: Held, now: Instant.Instant): boolean =>
  isAlive(held, now) && Instant.elapsed(held.checkedAt, now) < held.lostAfter

/** Whether it is what a caller asks for. */
export const isUsable = (held: Held, minTtl: number | undefined, now: Instant.Instant): boolean =>
  remaining(held, now) > neededLife(held.lifetime, minTtl)
  && Instant.elapsed(held.checkedAt, now) < held.doubtfulAfter

/** Whether it is time to replace it. */
export const isDue = (held: Held, now: Instant.Instant): boolean =>
  held.isOrphaned || remaining(held, now) <= held.dueBelow

/** Whether no server would replace it yet, whatever it has drawn. */
export const isDueNowhere = (held: Held, now: Instant.Instant): boolean =>
  !isDue(held, now) && remaining(held, now) > held.lifetime / 4

/** Whether it is time to look whether it is still the one in use: not yet, soon or before anything else. */
export const checkDue = (held: Held, now: Instant.Instant): "no" | "soon" | "now" => {
  const age = Instant.elapsed(held.checkedAt, now)
  return age < held.checkAfter ? "no" : age < held.checkBefore ? "soon" : "now"
}

export const handOut = (held: Held, source: HandedOut["source"], now: Instant.Instant): HandedOut => ({
  value: held.value,
  expiresIn: Math.max(0, Math.floor(remaining(held, now))),
  source,
  persisted: held.unstored === undefined
})
