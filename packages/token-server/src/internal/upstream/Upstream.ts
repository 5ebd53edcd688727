/**
 * Asks the upstream of a realm for a token: one request, or the two of Coze's workload identity.
 */
import type * as Instant from "@effect-identity/oauth/Instant"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type { Realm } from "../../Realm.ts"
import type { UpstreamFailed } from "../Failure.ts"

/** A token as the upstream gave it. Its life counts from when its request was sent. */
export interface Obtained {
  readonly value: Redacted.Redacted
  readonly requestedAt: Instant.Instant
  readonly lifetime: Duration.Duration
}

export class Upstream extends Context.Service<Upstream, {
  /**
   * A new token. `values` are what `$key_n` stands for. `beforeSend` runs once there is a connection, right before the bytes
   * of the request that issues the token leave; when it fails, none do. The whole of it, waiting for a turn and connecting
   * included, takes the realm's `timeout` at most. Nothing is sent twice. Where `isForced`, the upstream is told that the
   * token it last gave is of no use, if it can be.
   */
  readonly obtain: <E, R>(
    realm: Realm,
    values: ReadonlyMap<string, Redacted.Redacted>,
    beforeSend: Effect.Effect<void, E, R>,
    isForced?: boolean
  ) => Effect.Effect<Obtained, UpstreamFailed | E, R>
}>()("@effect-identity/token-server/internal/upstream/Upstream") {}
