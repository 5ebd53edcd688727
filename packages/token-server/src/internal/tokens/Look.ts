/**
 * Brings what is in memory up to what is in the database.
 */
import * as Instant from "@effect-identity/oauth/Instant"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { Realm } from "../../Realm.ts"
import { RealmStore } from "../store/RealmStore.ts"
import { isSameSecret, type Reading, TokenStore } from "../store/TokenStore.ts"
import * as Held from "./Held.ts"
import type { Slot } from "./Slot.ts"

/** A reading, and what is held after it: the stored token, or a newer one. */
export interface Looked {
  readonly realm: Realm
  readonly reading: Reading
  readonly held: Held.Held | undefined
}

export const make = Effect.gen(function*() {
  const realms = yield* RealmStore
  const tokens = yield* TokenStore

  const adopt = Effect.fnUntraced(function*(slot: Slot, realm: Realm, reading: Reading, readAt: Instant.Instant) {
    const { now, secret, token } = reading
    const look = Held.seen(reading, readAt, realm)
    if (slot.held !== undefined && !isSameSecret(slot.held.secret, secret)) slot.held = undefined
    const { held } = slot
    if (held !== undefined && held.version >= (token?.version ?? 0)) {
      // A database that was restored knows of an older token than this: it may have ended, this one has not.
      const isBehind = held.unstored === undefined && held.version !== token?.version
      if (token === undefined && isBehind) {
        slot.held = undefined
        return undefined
      }
      return slot.hold({ ...held, ...look, isOrphaned: look.isOrphaned || isBehind })
    }
    if (token === undefined) return undefined
    const value = yield* token.open
    return slot.hold(Held.make(
      {
        value,
        version: token.version,
        secret,
        unstored: undefined,
        lifetime: token.lifetime,
        // Counted from before the question, so that the way to the database and back never makes it younger.
        left: token.expiresAt - now,
        leftAt: readAt
      },
      look,
      realm,
      yield* Random.next
    ))
  })

  return Effect.fnUntraced(function*(slot: Slot) {
    const realm = yield* realms.find(slot.realm)
    const readAt = yield* Instant.now
    const reading = yield* tokens.read(slot)
    slot.blindSince = undefined
    return { realm, reading, held: yield* adopt(slot, realm, reading, readAt) } satisfies Looked
  })
})

export type Look = Effect.Success<typeof make>
