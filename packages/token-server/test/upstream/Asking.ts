/**
 * Asks upstreams on loopback, as the server would.
 */
import { Realm } from "@effect-identity/token-server"
import * as Egress from "@effect-identity/token-server/internal/upstream/Egress"
import * as Requests from "@effect-identity/token-server/internal/upstream/Requests"
import { Upstream } from "@effect-identity/token-server/internal/upstream/Upstream"
import { Effect, Layer, Redacted, Result } from "effect"

export const layer = Requests.layer.pipe(Layer.provideMerge(Egress.layer()))

/** A realm that may connect to loopback, at any port. */
export const realmOf = (config: object, id = "corp"): Realm.Realm =>
  Result.getOrThrowWith(
    Realm.decode({ id, config: { private_addresses: ["127.0.0.0/8"], ...config } }),
    (issues) => new Error(JSON.stringify(issues))
  )

/** What `$key_1`, `$key_2` and so on stand for. */
export const valuesOf = (...values: ReadonlyArray<string>) =>
  new Map(values.map((value, index) => [`key_${index + 1}`, Redacted.make(value)]))

export const obtain = (
  realm: Realm.Realm,
  values: ReadonlyArray<string>,
  { beforeSend = Effect.void, isForced }: {
    readonly beforeSend?: Effect.Effect<void, "superseded">
    readonly isForced?: boolean
  } = {}
) => Upstream.use((upstream) => upstream.obtain(realm, valuesOf(...values), beforeSend, isForced))
