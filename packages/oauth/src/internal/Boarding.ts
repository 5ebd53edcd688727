/**
 * How callers get onto a flight.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Instant from "../Instant.ts"
import type { Flight } from "./Flight.ts"
import type { Flights, Source } from "./Flights.ts"
import * as Report from "./Report.ts"
import type { Slot } from "./Slot.ts"
import type { Slots } from "./Slots.ts"

export const make = (slots: Slots, flights: Flights) => {
  /** Waits for a flight, the one that is found or begun in the same breath. Those who are told to come later fail. */
  const waitFor = (slot: Slot, flightFor: (fiber: Fiber.Fiber<unknown, unknown>) => Flight): Source =>
    Effect.uninterruptibleMask((restore) =>
      Effect.withFiber((fiber) => {
        const flight = flightFor(fiber)
        return Effect.flatMap(flights.join(slot, flight, restore), (token) => {
          slots.evict()
          const now = Instant.nowUnsafe(fiber.getRef(Clock.Clock))
          return Report.handOver(fiber, slot, token, flight.purpose, Instant.elapsed(token.requestedAt, now))
        })
      })
    )

  const fetchOrFail = (slot: Slot, now: Instant.Instant, source: Source): Source => {
    const failure = slot.flight === undefined ? slot.failureAt(now) : undefined
    return failure === undefined
      ? waitFor(
        slot,
        ({ context }) =>
          slot.flight ?? flights.launch(slot, slot.awaitsReplacement ? "rejected" : "miss", source, context)
      )
      : Effect.fail(failure)
  }

  return { waitFor, fetchOrFail }
}
