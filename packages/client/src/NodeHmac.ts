/**
 * Node's own HMAC, which is there at once: the secret of a client has its fingerprint before the first token is asked for.
 */
import * as Effect from "effect/Effect"
import { createHmac, generateKeySync, type KeyObject } from "node:crypto"

let drawn: KeyObject | undefined

export const make = (bytes: Uint8Array): Effect.Effect<Uint8Array> =>
  Effect.sync(() => {
    drawn ??= generateKeySync("hmac", { length: 256 })
    return createHmac("sha256", drawn).update(bytes).digest()
  })
