/**
 * Who did what, in SQL. Only appended to; what could be a secret is a keyed hash in it.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { StoreFailed } from "../Failure.ts"
import type { Page, Paging } from "./RealmStore.ts"

/** What is written down. */
export interface AuditEntry {
  /** Id of the API key, or `system`. */
  readonly actor: string
  /** `token.read`, `secret.save`, `realm.remove` and so on. */
  readonly action: string
  readonly realm: string | undefined
  /** The keyed hash (`KeyRing.fingerprint`) of what it was done to: the key of a secret, the id of an API key. */
  readonly subject: string | undefined
  readonly outcome: "ok" | "denied" | "failed"
  /** How often since the entry before: reads of tokens are counted, not written one by one. */
  readonly count: number
}

/** An entry and its row. */
export interface AuditRow extends AuditEntry {
  /** Grows. */
  readonly id: number
  /** Milliseconds since 1970. */
  readonly at: number
}

export class AuditStore extends Context.Service<AuditStore, {
  readonly append: (entries: ReadonlyArray<AuditEntry>) => Effect.Effect<void, StoreFailed>
  /** The change and its entry in one transaction: neither of them happens without the other. */
  readonly recorded: <A, E, R>(
    entry: AuditEntry,
    change: Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E | StoreFailed, R>
  /** Newest first. */
  readonly list: (
    filter: Paging & {
      readonly actor: string | undefined
      readonly action: string | undefined
      readonly realm: string | undefined
      /** Milliseconds since 1970, both of them: from, and up to but not with. */
      readonly since: number | undefined
      readonly until: number | undefined
    }
  ) => Effect.Effect<Page<AuditRow>, StoreFailed>
}>()("@effect-identity/token-server/internal/store/AuditStore") {}
