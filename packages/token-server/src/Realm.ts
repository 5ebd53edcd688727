/**
 * An upstream provider of tokens, as data.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"

/**
 * A realm as it is used: decoded, its rules checked, its defaults filled in.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Realm {
  readonly id: string
  readonly comment: string
  /** Grows with every change. */
  readonly version: number
  /** The whole request to the upstream, from resolving its name to the last byte. */
  readonly timeout: Duration.Duration
  /** Requests to the upstream at once, per server. */
  readonly concurrency: number
  /** How long the token before stays valid once a new one is issued; undefined where tokens do not end each other. */
  readonly overlap: Duration.Duration | undefined
  /** How many forced refreshes of a key there may be in a window. */
  readonly refreshBudget: { readonly limit: number; readonly window: Duration.Duration }
}
