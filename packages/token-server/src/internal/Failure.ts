/**
 * What can go wrong between a caller and a token. Nothing here holds a value of a secret, an address or a foreign error.
 */
import type { Reason } from "@effect-identity/oauth/OAuthError"
import type { Issue } from "@effect-identity/oauth/Setting"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"

/** What was given breaks rules. `name` is the path of the field. */
export class Invalid extends Data.TaggedError("Invalid")<{ readonly issues: ReadonlyArray<Issue> }> {
  override get message(): string {
    return this.issues.map(({ name, rule }) => `${name} ${rule}`).join(", ")
  }
}

/** There is none, or the caller may not know that there is one. */
export class NotFound extends Data.TaggedError("NotFound")<{ readonly what: "realm" | "secret" | "apiKey" }> {
  override get message(): string {
    return `no such ${this.what === "apiKey" ? "API key" : this.what}`
  }
}

/** Somebody else changed it in the meantime, or something still depends on it. */
export class Conflict extends Data.TaggedError("Conflict")<{ readonly rule: string }> {
  override get message(): string {
    return this.rule
  }
}

const stores = {
  unavailable: "the database cannot be reached",
  busy: "the database is busy",
  full: "the database has no room left, or is read-only",
  schema: "the database has a schema that this version does not know"
} as const

/** The database did not do what it was asked. */
export class StoreFailed extends Data.TaggedError("StoreFailed")<{ readonly detail: keyof typeof stores }> {
  override get message(): string {
    return stores[this.detail]
  }
}

/** A row cannot be decrypted: its key is not in the ring, or it was changed, cut or moved. */
export class Unsealable extends Data.TaggedError("Unsealable")<{
  readonly detail: "key" | "ciphertext"
  readonly keyId: string | undefined
}> {
  override get message(): string {
    return this.detail === "key"
      ? "a row is sealed with a master key that is not in the ring"
      : "a row does not decrypt: it was changed, cut or moved"
  }
}

/** New tokens were asked for more often than the realm allows. */
export class BudgetSpent extends Data.TaggedError("BudgetSpent")<{ readonly retryAfter: Duration.Duration }> {
  override readonly message = "new tokens were asked for more often than the realm allows"
}

/** The upstream answered, and its answer says no. */
export class Refused extends Data.TaggedError("Refused")<{
  readonly status: number
  /** What it calls the failure (`errcode`, `error`, `code`), where that may be shown. */
  readonly code: string | undefined
  readonly isRetryable: boolean
}> {
  override get message(): string {
    return `refused${this.code === undefined ? "" : ` (${this.code})`} (HTTP ${this.status})`
  }
}

const upstreamRules = {
  egress: "the address is not one that this server may connect to",
  answer: "the answer holds no token, or no life of it, where the realm says",
  secret: "the secret lacks a value that the realm names, or has one that cannot be sent where it should be",
  queue: "too many requests to this realm are under way",
  superseded: "another server asked in the meantime"
} as const

/** There was nothing to ask, or nothing usable in the answer. */
export class Unusable extends Data.TaggedError("Unusable")<{ readonly detail: keyof typeof upstreamRules }> {
  override get message(): string {
    return upstreamRules[this.detail]
  }
}

/** The upstream gave no token. */
export class UpstreamFailed extends Data.TaggedError("UpstreamFailed")<{
  readonly reason: Reason | Refused | Unusable
  readonly requestId: string | undefined
  readonly retryAfter: Duration.Duration | undefined
}> {
  override get message(): string {
    return `upstream: ${this.reason.message}`
  }
}
