/**
 * One request for a token on behalf of everyone who waits for it.
 */
import * as Deferred from "effect/Deferred"
import type * as Fiber from "effect/Fiber"
import type { AccessToken } from "../AccessToken.ts"
import type { OAuthError } from "../OAuthError.ts"

/** Nothing usable was held, the token was due, someone wanted a new one, or the one before was refused. */
export type Purpose = "miss" | "refresh" | "forced" | "rejected"

export class Flight {
  readonly purpose: Purpose
  readonly result = Deferred.makeUnsafe<AccessToken, OAuthError>()
  fiber: Fiber.Fiber<unknown> | undefined
  waiters = 0
  /** Drawn when the source is asked: of two flights, the one that began later has the newer token. */
  number = 0
  isOver = false
  /** Everyone who waited has left. */
  isAbandoned = false

  constructor(purpose: Purpose) {
    this.purpose = purpose
  }

  /** Nobody has to wait for it: it flies on when those who do have left. */
  get isBackground(): boolean {
    return this.purpose === "refresh"
  }
}
