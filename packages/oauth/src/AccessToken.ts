/**
 * A token a workload may present, and for how long.
 *
 * The value is redacted from the moment it is decoded. How old a token is, is a question for two clocks at once: see
 * {@link remaining}.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as Instant from "./Instant.ts"

/**
 * An access token (RFC 6749 §1.4) of type `Bearer` (RFC 6750): one immutable snapshot of one answer.
 *
 * `requestedAt` is the moment the request for it was sent; its `lifetime` counts from there, so a slow answer never
 * makes a token look younger than it is. `generation` grows with every token a `TokenCache` obtains; 0 means that no
 * cache was involved.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export class AccessToken extends Data.Class<{
  readonly value: Redacted.Redacted
  readonly tokenType: "Bearer"
  readonly scope: string | undefined
  readonly requestedAt: Instant.Instant
  readonly lifetime: Duration.Duration
  readonly generation: number
}> {
  /** When the token was asked for, by the wall clock. */
  get issuedAt(): DateTime.Utc {
    return DateTime.makeUnsafe(this.requestedAt.wall)
  }

  /** When the token stops being valid, by the wall clock. */
  get expiresAt(): DateTime.Utc {
    return DateTime.makeUnsafe(this.requestedAt.wall + Duration.toMillis(this.lifetime))
  }
}

/**
 * Makes a token from its parts, asked for now. For sources that do not go through `TokenEndpoint`, and for tests.
 *
 * @example
 * ```ts
 * import { AccessToken } from "@effect-identity/oauth"
 * import { Effect, Redacted } from "effect"
 *
 * const token = Effect.runSync(AccessToken.make({ value: Redacted.make("s3cret"), lifetime: "1 hour" }))
 * String(token.value) // => "<redacted>"
 * ```
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: {
  readonly value: Redacted.Redacted
  readonly lifetime: Duration.Input
  readonly scope?: string | undefined
}): Effect.Effect<AccessToken> =>
  Effect.map(Instant.now, (requestedAt) =>
    new AccessToken({
      value: options.value,
      tokenType: "Bearer",
      scope: options.scope,
      requestedAt,
      lifetime: Duration.fromInputUnsafe(options.lifetime),
      generation: 0
    }))

/**
 * How much of the token's life is left, zero once it is over. The wall clock and the monotonic clock must both agree
 * that it is alive: a jump forward or a suspended machine ages it, a wall clock set back does not make it younger.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const remaining = (self: AccessToken): Effect.Effect<Duration.Duration> =>
  Effect.map(Instant.now, (now) => remainingAt(self, now))

/**
 * {@link remaining} at a moment that was read before.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const remainingAt = (self: AccessToken, now: Instant.Instant): Duration.Duration =>
  Duration.millis(Math.max(0, Duration.toMillis(self.lifetime) - Instant.elapsed(self.requestedAt, now)))
