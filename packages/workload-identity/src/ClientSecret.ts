/**
 * Where the secret of a workload comes from: known once and for all, or asked for again, so that it can be rotated while the
 * workload runs.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type { ConfigurationError } from "./WorkloadIdentityError.ts"

/**
 * A secret. `isFixed` promises that it never changes, so that it is asked for once.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface ClientSecret {
  readonly read: Effect.Effect<Redacted.Redacted, ConfigurationError>
  readonly isFixed: boolean
}

/**
 * A secret that stays.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const fixed = (secret: Redacted.Redacted): ClientSecret => ({ read: Effect.succeed(secret), isFixed: true })

/**
 * A secret that may change. It is asked for before a token is, at most once a second, every ten seconds while tokens are
 * in use, and once more when the issuer refuses it. `Config.layer({ clientSecret })` takes it.
 *
 * @example
 * ```ts
 * import { ClientSecret } from "@effect-identity/workload-identity"
 * import { Effect, Redacted } from "effect"
 *
 * const secret = ClientSecret.rotating(Effect.sync(() => Redacted.make("from a secret manager")))
 *
 * secret.isFixed // => false
 * ```
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const rotating = (read: Effect.Effect<Redacted.Redacted, ConfigurationError>): ClientSecret => ({
  read,
  isFixed: false
})
