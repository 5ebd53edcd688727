/**
 * Starts flights, lets callers wait for them, and puts what they bring in its place.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import { ParentSpan } from "effect/Tracer"
import { AccessToken } from "../AccessToken.ts"
import * as Instant from "../Instant.ts"
import { Closed, InvalidResponse, OAuthError, type Reason, Timeout, Unexpected } from "../OAuthError.ts"
import * as Quiet from "../Quiet.ts"
import * as Retry from "../Retry.ts"
import * as CoolDown from "./CoolDown.ts"
import * as Counts from "./Counts.ts"
import { Flight, type Purpose } from "./Flight.ts"
import * as Lifespan from "./Lifespan.ts"
import * as Report from "./Report.ts"
import type { Slot } from "./Slot.ts"

export type Source = Effect.Effect<AccessToken, OAuthError>

export interface Rules {
  readonly lifespan: Lifespan.Rules
  readonly coolDown: CoolDown.Rules
}

const failed = (reason: Reason) => new OAuthError({ operation: "tokenCache", reason, requestId: undefined })

export const closed = failed(new Closed())

const outOfPatience = failed(new Timeout({ detail: "total" }))

/** Waits for a token for so long and no longer. */
export const within = (patience: Duration.Duration | undefined, token: Source): Source =>
  patience === undefined
    ? token
    : Effect.timeoutOrElse(token, { duration: patience, orElse: () => Effect.fail(outOfPatience) })

const nameOf = (defect: unknown): string =>
  defect instanceof Error && /^\w{1,40}$/.test(defect.name) ? defect.name : typeof defect

/** What those who wait are told when the source ended in a way that no source should. */
const toFailure = (cause: Cause.Cause<OAuthError>): OAuthError => {
  const error = Cause.findErrorOption(cause)
  return Option.isSome(error) ? error.value : failed(new Unexpected({ defect: nameOf(Cause.squash(cause)) }))
}

export class Flights {
  readonly #rules: Rules
  readonly #airborne = new Set<Flight>()
  #generation = 0
  #lifetime: Duration.Duration = Duration.zero
  isClosed = false

  constructor(rules: Rules) {
    this.#rules = rules
  }

  /**
   * Starts a flight, in the context of whoever is the first to want it. Synchronous, so that nobody sees a flight that has
   * not begun or can be interrupted in between.
   */
  launch(slot: Slot, purpose: Purpose, source: Source, context: Context.Context<never>): Flight {
    const flight = new Flight(purpose)
    slot.stir().flight = flight
    return this.#start(slot, flight, this.#ask(flight, source), context)
  }

  /**
   * Starts a flight that nobody waits for, while a token can be handed out for so many milliseconds more. It may take half
   * of them, so that a server that hangs leaves time for another attempt.
   */
  launchInBackground(slot: Slot, heldFor: number, source: Source, context: Context.Context<never>): Flight {
    const bounded = within(Duration.millis(Math.max(this.#rules.coolDown.minimum, heldFor / 2)), source)
    return this.launch(slot, "refresh", bounded, context)
  }

  /** Starts a forced flight, or orders the one that begins when the forced flight in the air is over. */
  launchForced(slot: Slot, source: Source, context: Context.Context<never>): Flight {
    const flight = new Flight("forced")
    const before = slot.forced
    const begin = Effect.suspend(() => {
      const unrest = slot.stir()
      if (unrest.nextForced === flight) unrest.nextForced = undefined
      unrest.forced = flight
      unrest.flight = flight
      return this.#ask(flight, source)
    })
    if (before === undefined) return this.#start(slot, flight, begin, context)
    slot.stir().nextForced = flight
    const beginLater = Effect.flatMap(
      Effect.exit(Deferred.await(before.result)),
      () =>
        Effect.flatMap(Instant.now, (now) => {
          const cooling = slot.coolingFor(now)
          return slot.coolDown !== undefined && cooling > 0
            ? Effect.fail(CoolDown.errorAt(slot.coolDown, cooling))
            : begin
        })
    )
    return this.#start(slot, flight, beginLater, context)
  }

  /**
   * Waits for a flight, with `restore` interruptibly. It is given up, on the wire too, when the last of those who wait for it
   * leaves.
   */
  join(slot: Slot, flight: Flight, restore: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>): Source {
    flight.waiters++
    const landing = Deferred.await(flight.result)
    // A quiet flight does not keep the process alive, someone who waits for it does: by this timer.
    const held = flight.isBackground
      ? Effect.timeoutOrElse(landing, { duration: Duration.days(1), orElse: () => landing })
      : landing
    return Effect.ensuring(restore(held), Effect.suspend(() => this.#leave(slot, flight)))
  }

  readonly close: Effect.Effect<void> = Effect.suspend(() => {
    this.isClosed = true
    return Fiber.interruptAll(Array.from(this.#airborne).flatMap(({ fiber }) => fiber === undefined ? [] : [fiber]))
  })

  #leave(slot: Slot, flight: Flight): Effect.Effect<void> {
    flight.waiters--
    if (flight.waiters > 0 || flight.isBackground || flight.isOver || flight.fiber === undefined) return Effect.void
    flight.isAbandoned = true
    slot.forget(flight)
    return Fiber.interrupt(flight.fiber)
  }

  #ask(flight: Flight, source: Source): Source {
    return Effect.suspend(() => {
      flight.number = ++this.#generation
      return source
    })
  }

  #start(slot: Slot, flight: Flight, effect: Source, context: Context.Context<never>): Flight {
    this.#airborne.add(flight)
    slot.stir().airborne.add(flight)
    // Where failures are counted already, the cool-down is what spaces attempts.
    const spaced = flight.isBackground || slot.coolDown !== undefined ? Retry.once(effect) : effect
    const traced = Effect.withSpan(spaced, flight.isBackground ? "TokenCache.refresh" : "TokenCache.acquire", {
      attributes: { "token_cache.reason": flight.purpose },
      ...(flight.isBackground && {
        root: true,
        links: Option.toArray(Context.getOption(context, ParentSpan)).map((span) => ({ span, attributes: {} }))
      })
    })
    const landed = Effect.flatMap(
      Instant.now,
      (departed) => Effect.exit(Effect.onExit(traced, (exit) => this.#land(slot, flight, departed, exit)))
    )
    flight.fiber = Effect.runForkWith(context)(flight.isBackground ? Quiet.run(landed) : landed)
    return flight
  }

  /** Tokens of one issuer mostly live equally long: they need not each remember that in an object of its own. */
  #sharedLifetime(lifetime: Duration.Duration): Duration.Duration {
    if (!Duration.equals(lifetime, this.#lifetime)) this.#lifetime = lifetime
    return this.#lifetime
  }

  #land(slot: Slot, flight: Flight, departed: Instant.Instant, exit: Exit.Exit<AccessToken, OAuthError>) {
    return Effect.withFiber((fiber) => {
      const now = Instant.nowUnsafe(fiber.getRef(Clock.Clock))
      const drawn = fiber.getRef(Random.Random).nextDoubleUnsafe()
      this.#airborne.delete(flight)
      flight.isOver = true
      slot.forget(flight)
      const report = (outcome: "success" | "failure" | "interrupted", errorType?: string) =>
        Counts.flight(fiber.context, {
          purpose: flight.purpose,
          outcome,
          errorType,
          millis: Instant.elapsed(departed, now),
          wall: now.wall
        })

      const fail = (error: OAuthError): Effect.Effect<void> => {
        report("failure", error.reason._tag)
        if (slot.isOlderThan(flight)) {
          const { token, usableFor } = slot
          slot.stir().coolDown = CoolDown.begin(error, departed, now, {
            drawn,
            streak: (slot.coolDown?.streak ?? 0) + 1,
            heldFor: token === undefined || Instant.elapsed(token.requestedAt, departed) >= usableFor
              ? undefined
              : usableFor - Instant.elapsed(token.requestedAt, now)
          }, this.#rules.coolDown)
        }
        Deferred.doneUnsafe(flight.result, Effect.fail(error))
        return Report.failure(flight.purpose, error, slot.coolDown?.millis ?? 0)
      }

      if (Exit.isFailure(exit)) {
        if (!flight.isAbandoned && !this.isClosed) return fail(toFailure(exit.cause))
        report("interrupted")
        Deferred.doneUnsafe(flight.result, Effect.fail(closed))
        return Effect.void
      }
      const token = new AccessToken({
        ...exit.value,
        lifetime: this.#sharedLifetime(exit.value.lifetime),
        generation: flight.number
      })
      const age = Instant.elapsed(token.requestedAt, now)
      const lifespan = Lifespan.draw(token, age, drawn, this.#rules.lifespan)
      if (age >= lifespan.usableFor) return fail(failed(new InvalidResponse({ status: undefined, detail: "expired" })))
      report("success")
      if (slot.isOlderThan(flight)) slot.hold(token, age, lifespan, flight.purpose)
      Deferred.doneUnsafe(flight.result, Effect.succeed(token))
      return Effect.void
    })
  }
}
