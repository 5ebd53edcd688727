/**
 * What goes on about a key: flights, a failure that is remembered, a refusal. Most keys are at rest most of the time, and
 * have none.
 */
import type * as Instant from "../Instant.ts"
import type { CoolDown } from "./CoolDown.ts"
import type { Flight } from "./Flight.ts"

export class Unrest {
  readonly airborne = new Set<Flight>()
  /** The newest one in the air that has begun: whoever has nothing joins it. */
  flight: Flight | undefined
  /** The forced one in the air, and the one that begins after it. */
  forced: Flight | undefined
  nextForced: Flight | undefined
  coolDown: CoolDown | undefined
  /** When the token was dropped because it was refused, and whether it has been replaced since. */
  rejectedAt: Instant.Instant | undefined
  awaitsReplacement = false

  get isOver(): boolean {
    return this.airborne.size === 0 && this.coolDown === undefined && this.rejectedAt === undefined
  }

  forget(flight: Flight): void {
    this.airborne.delete(flight)
    if (this.flight === flight) this.flight = Array.from(this.airborne).findLast(({ number }) => number > 0)
    if (this.forced === flight) this.forced = undefined
    if (this.nextForced === flight) this.nextForced = undefined
  }
}
