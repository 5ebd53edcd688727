/**
 * What the cache knows about one key. There can be very many of them, so that what is held stands in the slot itself, in
 * whole milliseconds, which take no memory of their own, and everything that passes stands apart.
 */
import * as Duration from "effect/Duration"
import type { AccessToken } from "../AccessToken.ts"
import * as Instant from "../Instant.ts"
import type { OAuthError } from "../OAuthError.ts"
import type { Reason, Snapshot } from "../TokenCache.ts"
import * as CoolDown from "./CoolDown.ts"
import type { Flight, Purpose } from "./Flight.ts"
import type { Lifespan } from "./Lifespan.ts"
import { Unrest } from "./Unrest.ts"

/** So that a cool-down of nothing does not ask without a pause. */
const shortestPause = 50

const later = ({ monotonic, wall }: Instant.Instant, millis: number): Instant.Instant => ({
  wall: wall + millis,
  monotonic: monotonic + millis
})

export class Slot {
  /** What is held, and what is known of it. */
  token: AccessToken | undefined
  refreshAfter = 0
  usableFor = 0
  fetchedFor: Purpose = "miss"
  #landedAfter = 0
  #unrest: Unrest | undefined
  lastAnswer: Reason | undefined

  get isFlying(): boolean {
    return this.#unrest !== undefined && this.#unrest.airborne.size > 0
  }

  /** The newest flight in the air that has begun: whoever has nothing joins it. */
  get flight(): Flight | undefined {
    return this.#unrest?.flight
  }

  /** The forced one in the air, and the one that begins after it. */
  get forced(): Flight | undefined {
    return this.#unrest?.forced
  }

  get nextForced(): Flight | undefined {
    return this.#unrest?.nextForced
  }

  get coolDown(): CoolDown.CoolDown | undefined {
    return this.#unrest?.coolDown
  }

  get rejectedAt(): Instant.Instant | undefined {
    return this.#unrest?.rejectedAt
  }

  /** Whether the token was refused, and has not been replaced since. */
  get awaitsReplacement(): boolean {
    return this.#unrest?.awaitsReplacement === true
  }

  /** Something goes on about this key, until {@link calm} finds that it is over. */
  stir(): Unrest {
    return this.#unrest ??= new Unrest()
  }

  calm(): void {
    if (this.#unrest?.isOver === true) this.#unrest = undefined
  }

  /** Puts a token that was this old when it landed in the place of what was held. */
  hold(token: AccessToken, ageAtLanding: number, { refreshAfter, usableFor }: Lifespan, fetchedFor: Purpose): void {
    this.token = token
    this.refreshAfter = refreshAfter
    this.usableFor = usableFor
    this.fetchedFor = fetchedFor
    this.#landedAfter = Math.floor(ageAtLanding)
    if (this.#unrest === undefined) return
    this.#unrest.coolDown = undefined
    this.#unrest.awaitsReplacement = false
    this.calm()
  }

  /** Drops what is held, because it was refused. */
  drop(now: Instant.Instant): void {
    this.token = undefined
    const unrest = this.stir()
    unrest.rejectedAt = now
    unrest.awaitsReplacement = true
  }

  forget(flight: Flight): void {
    this.#unrest?.forget(flight)
    this.calm()
  }

  /** What those who ask too early are told. */
  failureAt(now: Instant.Instant): OAuthError | undefined {
    const { coolDown } = this
    const remaining = this.coolingFor(now)
    return coolDown === undefined || remaining === 0 ? undefined : CoolDown.errorAt(coolDown, remaining)
  }

  snapshotAt(now: Instant.Instant): Snapshot {
    const { coolDown, fetchedFor, isFlying, lastAnswer, token } = this
    const remaining = this.coolingFor(now)
    const age = token === undefined ? 0 : Instant.elapsed(token.requestedAt, now)
    return {
      held: token !== undefined && age < this.usableFor
        ? { token, landedAt: later(token.requestedAt, this.#landedAfter), fetchedFor }
        : undefined,
      isDue: token !== undefined && age >= this.refreshAfter,
      isFlying,
      coolDown: coolDown === undefined || remaining === 0
        ? undefined
        : { error: coolDown.error, remaining: Duration.millis(remaining) },
      lastAnswer
    }
  }

  coolingFor(now: Instant.Instant): number {
    const { coolDown } = this
    return coolDown === undefined ? 0 : CoolDown.remainingAt(coolDown, now)
  }

  /**
   * How long to wait, in milliseconds, before asking again instead of telling a failure; not at all when it is the failure
   * of an attempt that was made after the held token had ended, or the pause is longer than what is left of its life.
   */
  enduresFor(now: Instant.Instant, shortest: number): number | undefined {
    const { coolDown, token } = this
    if (token === undefined) return undefined
    const lifetime = Duration.toMillis(token.lifetime)
    const left = lifetime - Instant.elapsed(token.requestedAt, now)
    const cooling = this.coolingFor(now)
    if (left > 0) return Math.max(shortestPause, Math.min(left, cooling))
    const hasTried = coolDown !== undefined && Instant.elapsed(token.requestedAt, coolDown.attemptedAt) >= lifetime
    return hasTried || cooling > 2 * shortest ? undefined : Math.max(shortestPause, cooling)
  }

  /** Whether the held token, if there is one, is older than what this flight brings. */
  isOlderThan(flight: Flight): boolean {
    return this.token === undefined || this.token.generation < flight.number
  }
}
