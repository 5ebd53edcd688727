/**
 * A short name for a secret that does not help to guess it: an HMAC under a key that this process drew and nobody else
 * knows. Equal secrets have equal fingerprints as long as the process lives.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Hex from "effect/encoding/Hex"
import * as Redacted from "effect/Redacted"

let drawn: Promise<CryptoKey> | undefined

const keyOfProcess = (): Promise<CryptoKey> =>
  drawn ??= crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, false, ["sign"])

/**
 * The fingerprint of a secret, 32 hexadecimal digits. For the key of a `TokenCache`.
 *
 * @example
 * ```ts
 * import { Fingerprint } from "@effect-identity/oauth"
 * import { Effect, Redacted } from "effect"
 *
 * const fingerprint = await Effect.runPromise(Fingerprint.make(Redacted.make("s3cret")))
 * fingerprint.length // => 32
 * ```
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make = (secret: Redacted.Redacted): Effect.Effect<string> =>
  // The runtime signs with a key of its own making, or it is broken.
  Effect.promise(async () => {
    const tag = await crypto.subtle.sign("HMAC", await keyOfProcess(), new TextEncoder().encode(Redacted.value(secret)))
    return Hex.encode(new Uint8Array(tag)).slice(0, 32)
  })
