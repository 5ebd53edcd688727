/**
 * What the cache knows about one key.
 */
import * as Duration from "effect/Duration"
import type { AccessToken } from "../AccessToken.ts"
import * as Instant from "../Instant.ts"
import type { OAuthError } from "../OAuthError.ts"
import type { Reason, Snapshot } from "../TokenCache.ts"
import * as CoolDown from "./CoolDown.ts"
import type { Flight, Purpose } from "./Flight.ts"
import type { Lifespan } from "./Lifespan.ts"

export interface Held extends Lifespan {
  readonly token: AccessToken
  readonly landedAt: Instant.Instant
  readonly fetchedFor: Purpose
}

/** So that a cool-down of nothing does not ask without a pause. */
const shortestPause = 50

export class Slot {
  held: Held | undefined
  readonly airborne = new Set<Flight>()
  /** The newest one in the air that has begun: whoever has nothing joins it. */
  flight: Flight | undefined
  /** The forced one in the air, and the one that begins after it. */
  forced: Flight | undefined
  nextForced: Flight | undefined
  coolDown: CoolDown.CoolDown | undefined
  /** When the token was dropped because it was refused, and whether it has been replaced since. */
  rejectedAt: Instant.Instant | undefined
  awaitsReplacement = false
  lastAnswer: Reason | undefined

  get isFlying(): boolean {
    return this.airborne.size > 0
  }

  /** What those who ask too early are told. */
  failureAt(now: Instant.Instant): OAuthError | undefined {
    const remaining = this.coolingFor(now)
    return this.coolDown === undefined || remaining === 0 ? undefined : CoolDown.errorAt(this.coolDown, remaining)
  }

  snapshotAt(now: Instant.Instant): Snapshot {
    const { coolDown, held, isFlying, lastAnswer } = this
    const remaining = this.coolingFor(now)
    const age = held === undefined ? 0 : Instant.elapsed(held.token.requestedAt, now)
    return {
      held: held !== undefined && age < held.usableFor
        ? { token: held.token, landedAt: held.landedAt, fetchedFor: held.fetchedFor }
        : undefined,
      isDue: held !== undefined && age >= held.refreshAfter,
      isFlying,
      coolDown: coolDown === undefined || remaining === 0
        ? undefined
        : { error: coolDown.error, remaining: Duration.millis(remaining) },
      lastAnswer
    }
  }

  coolingFor(now: Instant.Instant): number {
    return this.coolDown === undefined ? 0 : CoolDown.remainingAt(this.coolDown, now)
  }

  /**
   * How long to wait, in milliseconds, before asking again instead of telling a failure; not at all when it is the failure
   * of an attempt that was made after the held token had ended, or the pause is longer than what is left of its life.
   */
  enduresFor(now: Instant.Instant, shortest: number): number | undefined {
    if (this.held === undefined) return undefined
    const { lifetime, requestedAt } = this.held.token
    const age = Instant.elapsed(requestedAt, now)
    const left = Duration.toMillis(lifetime) - age
    const cooling = this.coolingFor(now)
    if (left > 0) return Math.max(shortestPause, Math.min(left, cooling))
    const hasTried = this.coolDown !== undefined
      && Instant.elapsed(requestedAt, this.coolDown.attemptedAt) >= Duration.toMillis(lifetime)
    return hasTried || cooling > 2 * shortest ? undefined : Math.max(shortestPause, cooling)
  }

  forget(flight: Flight): void {
    this.airborne.delete(flight)
    if (this.flight === flight) this.flight = Array.from(this.airborne).findLast(({ number }) => number > 0)
    if (this.forced === flight) this.forced = undefined
    if (this.nextForced === flight) this.nextForced = undefined
  }

  /** Whether the held token, if there is one, is older than what this flight brings. */
  isOlderThan(flight: Flight): boolean {
    return this.held === undefined || this.held.token.generation < flight.number
  }
}
