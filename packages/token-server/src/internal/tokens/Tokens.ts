/**
 * Tokens by realm and key: from memory, from the database, or from the upstream, asked once whatever happens.
 */
import type * as Instant from "@effect-identity/oauth/Instant"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type { BudgetSpent, Conflict, NotFound, StoreFailed, Unsealable, UpstreamFailed } from "../Failure.ts"

/** A token as it is handed out. */
export interface HandedOut {
  readonly value: Redacted.Redacted
  /** How much of its life is left, in whole milliseconds, never more than is true. */
  readonly expiresIn: number
  readonly source: "memory" | "database" | "upstream"
  /** False when it could not be stored: other servers will not find it. */
  readonly persisted: boolean
}

/** Which token, and how much life it must have left: clamped to what its whole life allows. */
export interface Wanted {
  readonly realm: string
  readonly key: string
  readonly minTtl: Duration.Duration | undefined
}

export type TokensFailure = BudgetSpent | Conflict | NotFound | StoreFailed | Unsealable | UpstreamFailed

export class Tokens extends Context.Service<Tokens, {
  readonly get: (wanted: Wanted) => Effect.Effect<HandedOut, TokensFailure>
  /** A new token, within the realm's budget: `flush=true`. */
  readonly flush: (wanted: Wanted) => Effect.Effect<HandedOut, TokensFailure>
  /** Somebody was refused with this token. Replaces it if it is still the one in use, within the budget. */
  readonly report: (
    realm: string,
    key: string,
    refused: Redacted.Redacted
  ) => Effect.Effect<"replaced" | "not-current", TokensFailure>
  /**
   * What `get` would answer from memory at this moment, or undefined when it would do anything else (also when a refresh
   * ahead is due). Reads nothing and starts nothing.
   */
  readonly peekUnsafe: (realm: string, key: string, minTtlMillis: number | undefined, now: Instant.Instant) =>
    | HandedOut
    | undefined
  /** Forgets what is in memory: after a change by this server's own API. */
  readonly forget: (realm: string, key: string | undefined) => Effect.Effect<void>
}>()("@effect-identity/token-server/internal/tokens/Tokens") {}
