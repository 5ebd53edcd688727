/**
 * Stores a token that the database did not take when it was fetched.
 */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import { TokenStore } from "../store/TokenStore.ts"
import type { Slot } from "./Slot.ts"

/** Long enough for the two statements. */
const leaseMillis = 5000

export const make = Effect.gen(function*() {
  const random = yield* SecureRandom.SecureRandom
  const tokens = yield* TokenStore

  return Effect.fnUntraced(function*(slot: Slot) {
    const { held } = slot
    if (held?.unstored === undefined) return
    const { expiresAt, sentAt } = held.unstored
    const claim = held.unstored.claim
      ?? (yield* tokens.claim(slot, { tag: yield* random.uuidV4(), secret: held.secret, leaseMillis }))
    if (claim === undefined) return
    const isStored = yield* tokens.store(claim, { value: held.value, sentAt, expiresAt, lifetime: held.lifetime })
    if (slot.held !== held) return
    // Otherwise there is a newer one, or the secret is another one.
    slot.held = isStored ? { ...held, version: claim.number, unstored: undefined } : undefined
  })
})
