/**
 * The master keys: the first seals, all of them open. AES-256-GCM (NIST SP 800-38D) with a random nonce; the associated data
 * binds what is sealed to its table, row, column and key id.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type { Unsealable } from "../Failure.ts"

/** What was sealed, and with which key. */
export interface Sealed {
  readonly keyId: string
  /** Base64 of nonce, ciphertext and tag. */
  readonly text: string
}

export class KeyRing extends Context.Service<KeyRing, {
  readonly seal: (text: Redacted.Redacted, place: ReadonlyArray<string>) => Effect.Effect<Sealed>
  readonly open: (sealed: Sealed, place: ReadonlyArray<string>) => Effect.Effect<Redacted.Redacted, Unsealable>
  /** A keyed hash of a secret, 32 hexadecimal digits, the same on every server with this ring's first or named key. */
  readonly fingerprint: (secret: Redacted.Redacted) => Effect.Effect<string>
  readonly sealingKeyId: string
  readonly keyIds: ReadonlyArray<string>
}>()("@effect-identity/token-server/internal/store/KeyRing") {}
