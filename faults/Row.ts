/**
 * One line of the fault matrix: something that goes wrong, and what has to come of it.
 */
import type { Effect, Scope } from "effect"

/** What the caller got, and what the other side saw of it. */
export interface Seen {
  readonly caller: string
  readonly other: string
}

export interface Row {
  readonly id: string
  readonly fault: string
  /** Fails or dies where one of the two is not as it should be. */
  readonly run?: Effect.Effect<Seen, Error, Scope.Scope>
  /** Why the line says nothing about this library, or where it is shown instead. */
  readonly notHere?: string
}

export const row = (id: string, fault: string, run: Effect.Effect<Seen, Error, Scope.Scope>): Row => ({
  id,
  fault,
  run
})

export const notHere = (id: string, fault: string, why: string): Row => ({ id, fault, notHere: why })
