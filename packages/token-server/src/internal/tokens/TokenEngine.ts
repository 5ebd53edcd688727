/**
 * Hands tokens out of memory while that may be trusted, and has them looked up or fetched by one flight per key otherwise.
 */
import * as Instant from "@effect-identity/oauth/Instant"
import { Closed, Unexpected } from "@effect-identity/oauth/OAuthError"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { UpstreamFailed } from "../Failure.ts"
import * as Fetch from "./Fetch.ts"
import * as Held from "./Held.ts"
import * as Look from "./Look.ts"
import * as Persist from "./Persist.ts"
import type { Flight, Landed, Slot } from "./Slot.ts"
import { Slots } from "./Slots.ts"
import { type HandedOut, Tokens, type TokensFailure } from "./Tokens.ts"

const nameOf = (defect: unknown): string =>
  defect instanceof Error && /^\w{1,40}$/.test(defect.name) ? defect.name : typeof defect

const toFailure = (cause: Cause.Cause<TokensFailure>): TokensFailure =>
  Option.getOrElse(Cause.findErrorOption(cause), () =>
    new UpstreamFailed({
      reason: Cause.hasInterruptsOnly(cause) ? new Closed() : new Unexpected({ defect: nameOf(Cause.squash(cause)) }),
      requestId: undefined,
      retryAfter: undefined
    }))

/** How long nobody tries again after a failure, and how long it is told. */
const pauseMillis = (error: TokensFailure): number | undefined => {
  switch (error._tag) {
    case "UpstreamFailed":
      return error.retryAfter === undefined ? 1000 : Duration.toMillis(error.retryAfter)
    case "StoreFailed":
      return 1000
    case "Unsealable":
      return 5000
    default:
      return undefined
  }
}

/** Whether a token that is held is handed out instead. */
const isEndured = (error: TokensFailure): boolean => error._tag === "UpstreamFailed" || error._tag === "StoreFailed"

const attempts = 3

const land = (flight: Flight) => Effect.result(Deferred.await(flight.result))

const make = Effect.gen(function*() {
  const look = yield* Look.make
  const fetch = yield* Fetch.make(look)
  const persist = yield* Persist.make
  const run = yield* FiberSet.makeRuntime<never>()
  const slots = new Slots()

  const note = (slot: Slot, error: TokensFailure, now: Instant.Instant) => {
    const pause = pauseMillis(error)
    if (error._tag === "NotFound") slots.drop(slot)
    if (error._tag === "StoreFailed") {
      slot.blindSince = now
      slot.isDatabaseGone = error.detail === "unavailable"
    }
    if (pause !== undefined) slot.failed = { error, since: now, pauseMillis: pause }
  }

  const launch = (slot: Slot, want: Fetch.Want): Flight => {
    const flight: Flight = { result: Deferred.makeUnsafe(), isForced: want.isForced }
    slot.flight = flight
    const landing = (exit: Exit.Exit<Landed, TokensFailure>) =>
      Effect.flatMap(Instant.now, (now) => {
        if (slot.flight === flight) slot.flight = undefined
        if (Exit.isSuccess(exit)) {
          slot.failed = undefined
          Deferred.doneUnsafe(flight.result, exit)
          return Effect.void
        }
        const error = toFailure(exit.cause)
        note(slot, error, now)
        Deferred.doneUnsafe(flight.result, Effect.fail(error))
        return error._tag === "NotFound" || error._tag === "BudgetSpent"
          ? Effect.void
          : Effect.annotateLogs(Effect.logWarning("a token could not be fetched"), {
            realm: slot.realm,
            "error.type": error._tag,
            "error.message": error.message
          })
      })
    run(Effect.exit(Effect.onExit(
      Effect.withSpan(fetch(slot, want), "Tokens.fetch", { root: true, attributes: { realm: slot.realm } }),
      landing
    )))
    return flight
  }

  /** Looks whether the token in memory is still the one in use. One looks, whoever wants to know waits for that one. */
  const launchCheck = (slot: Slot): Deferred.Deferred<void> => {
    const check = Deferred.makeUnsafe<void>()
    slot.check = check
    run(
      Effect.onExit(
        Effect.andThen(Effect.ignore(persist(slot)), look(slot)),
        (exit) =>
          Effect.map(Instant.now, (now) => {
            slot.check = undefined
            if (Exit.isFailure(exit)) {
              const error = toFailure(exit.cause)
              if (error._tag === "Unsealable") slot.held = undefined
              else note(slot, error, now)
            }
            Deferred.doneUnsafe(check, Effect.void)
          })
      ).pipe(Effect.exit)
    )
    return check
  }

  /** Hands out of memory, and sees to it that nobody has to wait later. */
  const handOut = (slot: Slot, held: Held.Held, now: Instant.Instant): HandedOut => {
    if (slot.wantsCheck(held, now)) launchCheck(slot)
    if (slot.wantsRefresh(held, now)) {
      launch(slot, { minTtl: undefined, replaces: held.version, isForced: false })
    }
    return Held.handOut(held, "memory", now)
  }

  /** Waits for what memory alone does not answer. */
  const waitFor = Effect.fnUntraced(function*(realm: string, key: string, minTtl: number | undefined) {
    let error: TokensFailure | undefined
    for (let attempt = 0; attempt < attempts; attempt++) {
      const slot = slots.use(realm, key)
      let now = yield* Instant.now
      if (
        slot.held !== undefined && Held.isUsable(slot.held, minTtl, now) && slot.trusted(minTtl, now) === undefined
      ) {
        yield* Deferred.await(slot.check ?? launchCheck(slot))
        now = yield* Instant.now
      }
      const held = slot.trusted(minTtl, now)
      if (held !== undefined) return handOut(slot, held, now)
      const told = slot.flight === undefined ? slot.failureAt(now) : undefined
      const landed = told === undefined
        ? yield* land(slot.flight ?? launch(slot, { minTtl, replaces: undefined, isForced: false }))
        : Result.fail(told)
      now = yield* Instant.now
      if (Result.isSuccess(landed)) {
        const { success } = landed
        if (success.source === "upstream" || attempt === attempts - 1 || Held.isUsable(success.held, minTtl, now)) {
          return Held.handOut(success.held, success.source, now)
        }
        continue
      }
      error = landed.failure
      const last = isEndured(error) ? slot.endured(now) : undefined
      if (last !== undefined) return Held.handOut(last, "memory", now)
      // Whoever wanted another token than the stored one could not have it: that says nothing about this one.
      if (error._tag !== "BudgetSpent") return yield* error
    }
    return yield* error ?? toFailure(Cause.die(undefined))
  })

  const get: Tokens["Service"]["get"] = ({ key, minTtl, realm }) =>
    Effect.withFiber((fiber) => {
      const wanted = minTtl === undefined ? undefined : Duration.toMillis(minTtl)
      const slot = slots.find(realm, key)
      const now = Instant.nowUnsafe(fiber.getRef(Clock.Clock))
      const held = slot?.trusted(wanted, now)
      return slot === undefined || held === undefined
        ? waitFor(realm, key, wanted)
        : Effect.succeed(handOut(slot, held, now))
    })

  /** A token from the upstream, or another one than `replaces` that somebody else got from there just now. */
  const force = Effect.fnUntraced(function*(slot: Slot, replaces: number | "stored") {
    const joined = slot.flight
    if (joined !== undefined) {
      const landed = yield* land(joined)
      if (Result.isFailure(landed)) {
        if (landed.failure._tag !== "BudgetSpent" || joined.isForced) return yield* landed.failure
      } else if (joined.isForced || landed.success.source === "upstream") {
        return landed.success
      }
    }
    const next = slot.flight?.isForced === true
      ? slot.flight
      : launch(slot, { minTtl: undefined, replaces, isForced: true })
    return yield* Deferred.await(next.result)
  })

  const flush: Tokens["Service"]["flush"] = Effect.fnUntraced(function*({ key, realm }) {
    const { held, source } = yield* force(slots.use(realm, key), "stored")
    return Held.handOut(held, source, yield* Instant.now)
  })

  const report: Tokens["Service"]["report"] = Effect.fnUntraced(function*(realm, key, refused) {
    const slot = slots.use(realm, key)
    yield* Effect.tapError(look(slot), (error) => Effect.map(Instant.now, (now) => note(slot, error, now)))
    const { held } = slot
    if (held === undefined || !Equal.equals(held.value, refused)) return "not-current"
    yield* force(slot, held.version)
    return "replaced"
  })

  const peekUnsafe: Tokens["Service"]["peekUnsafe"] = (realm, key, minTtlMillis, now) => {
    const slot = slots.find(realm, key)
    const held = slot?.trusted(minTtlMillis, now)
    return slot === undefined || held === undefined || slot.wantsCheck(held, now) || slot.wantsRefresh(held, now)
      ? undefined
      : Held.handOut(held, "memory", now)
  }

  const forget: Tokens["Service"]["forget"] = (realm, key) => Effect.sync(() => slots.forget(realm, key))

  return Tokens.of({ get, flush, report, peekUnsafe, forget })
})

export const layer = Layer.effect(Tokens, make)
