/**
 * Changes and their entries in the audit trail: neither of them happens without the other.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { Caller } from "../api/Access.ts"
import type { StoreFailed } from "../Failure.ts"
import { AuditStore } from "../store/AuditStore.ts"
import { KeyRing } from "../store/KeyRing.ts"

/** What is done, and to what. */
export interface Change {
  readonly action:
    | "realm.save"
    | "realm.remove"
    | "secret.save"
    | "secret.remove"
    | "apiKey.create"
    | "apiKey.revoke"
  readonly realm: string | undefined
  /** Becomes a keyed hash. */
  readonly subject: string
}

export class Changes extends Context.Service<Changes, {
  /** Does it and writes it down. One that fails is written down as well, where that can be. */
  readonly record: <A, E, R>(
    change: Change,
    effect: Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E | StoreFailed, R | Caller>
}>()("@effect-identity/token-server/internal/http/Changes") {}

export const layer: Layer.Layer<Changes, never, AuditStore | KeyRing> = Layer.effect(
  Changes,
  Effect.gen(function*() {
    const store = yield* AuditStore
    const ring = yield* KeyRing

    return Changes.of({
      record: ({ action, realm, subject: text }, effect) =>
        Effect.gen(function*() {
          const { id: actor } = yield* Caller
          const subject = yield* ring.fingerprint(Redacted.make(text))
          const entry = { actor, action, realm, subject, count: 1 }
          return yield* store.recorded({ ...entry, outcome: "ok" }, effect).pipe(
            Effect.onError(() => Effect.ignore(store.append([{ ...entry, outcome: "failed" }])))
          )
        })
    })
  })
)
