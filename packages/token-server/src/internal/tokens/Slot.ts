/**
 * What one server knows of one key.
 */
import * as Instant from "@effect-identity/oauth/Instant"
import type * as Deferred from "effect/Deferred"
import { isSameSecret, type Place } from "../store/TokenStore.ts"
import { checkDue, type Held, isDue, isDueNowhere, isLastResort, isUsable } from "./Held.ts"
import type { TokensFailure } from "./Tokens.ts"

/** A token was found, or fetched. */
export interface Landed {
  readonly held: Held
  readonly source: "database" | "upstream"
}

/** One fetch on behalf of everyone who waits for it. It belongs to the server: those who leave change nothing. */
export interface Flight {
  readonly result: Deferred.Deferred<Landed, TokensFailure>
  /** It does not bring what was stored when it began. */
  readonly isForced: boolean
}

/** How long a failure is told without looking into the database, where somebody else may have had more luck. */
const toldFor = 1000

/** How long the database is left alone after it could not be asked. */
const blindFor = 1000

/** After this time what was known of the database says nothing any more. */
const blindFoldedFor = 5000

interface Failed {
  readonly error: TokensFailure
  readonly since: Instant.Instant
  readonly pauseMillis: number
}

export class Slot implements Place {
  readonly realm: string
  readonly key: string
  held: Held | undefined
  flight: Flight | undefined
  /** Somebody is looking whether the token is still the one in use. */
  check: Deferred.Deferred<void> | undefined
  failed: Failed | undefined
  /** Failures in a row. */
  streak = 0
  /** When the database could not be asked. */
  blindSince: Instant.Instant | undefined
  /** It could not be asked because it could not be reached. */
  isDatabaseGone = false

  constructor(realm: string, key: string) {
    this.realm = realm
    this.key = key
  }

  /** Puts a token in place of an older one, or what was seen of it later in place of what was seen before. */
  hold(held: Held): Held {
    const { held: before } = this
    const isNews = before === undefined || !isSameSecret(before.secret, held.secret) || held.version > before.version
      || (held.version === before.version && Instant.elapsed(before.checkedAt, held.checkedAt) > 0)
    if (isNews) this.held = held
    return isNews ? held : before
  }

  /** Whether nobody asks the upstream now, not in the background either. */
  isPaused(now: Instant.Instant): boolean {
    return this.failed !== undefined && Instant.elapsed(this.failed.since, now) < this.failed.pauseMillis
  }

  /** The failure that is told to those who come now, without asking anyone. */
  failureAt(now: Instant.Instant): TokensFailure | undefined {
    const { failed } = this
    return failed !== undefined && Instant.elapsed(failed.since, now) < Math.min(failed.pauseMillis, toldFor)
      ? failed.error
      : undefined
  }

  /**
   * Whether the database could not be asked a moment ago, and what is in memory has to do. Others may have asked it, and
   * replaced the token once that was due.
   */
  isBlind(held: Held, now: Instant.Instant): boolean {
    return this.blindSince !== undefined && Instant.elapsed(this.blindSince, now) < blindFoldedFor
      && (Instant.elapsed(held.checkedAt, now) < held.blindBefore || (this.isDatabaseGone && isDueNowhere(held, now)))
  }

  isToBeLeftAlone(now: Instant.Instant): boolean {
    return this.blindSince !== undefined && Instant.elapsed(this.blindSince, now) < blindFor
  }

  /** What may be handed out of memory at once. */
  trusted(minTtl: number | undefined, now: Instant.Instant): Held | undefined {
    const { held } = this
    return held !== undefined && isUsable(held, minTtl, now) &&
        (checkDue(held, now) !== "now" || this.isBlind(held, now))
      ? held
      : undefined
  }

  /** What is handed out where nothing better was to be had. */
  endured(now: Instant.Instant): Held | undefined {
    const { held } = this
    return held !== undefined && isLastResort(held, now) && (checkDue(held, now) !== "now" || this.isBlind(held, now))
      ? held
      : undefined
  }

  /** Whether it is time to look if the token is still the one in use, and nobody does. */
  wantsCheck(held: Held, now: Instant.Instant): boolean {
    return checkDue(held, now) !== "no" && this.check === undefined && !this.isToBeLeftAlone(now)
  }

  /** Whether it is time to replace the token, and nobody does. */
  wantsRefresh(held: Held, now: Instant.Instant): boolean {
    return isDue(held, now) && this.flight === undefined && !this.isPaused(now)
  }
}
