/**
 * A short name for a secret that does not help to guess it: an HMAC under a key that this process drew and nobody else
 * knows. Equal secrets have equal fingerprints as long as the process lives.
 *
 * @since 0.1.0
 */
import * as Mac from "effect/crypto/Mac"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Hex from "effect/encoding/Hex"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"

const layerMac = Mac.layerWebCrypto.pipe(Layer.provide(SecureRandom.layerWebCrypto))

const processKey = Effect.runSync(Effect.cached(
  Mac.Mac.use((mac) => mac.generateKey(Mac.hmacSha256)).pipe(Effect.provide(layerMac))
))

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
  Effect.gen(function*() {
    const mac = yield* Mac.Mac
    const tag = yield* mac.sign(yield* processKey, new TextEncoder().encode(Redacted.value(secret)))
    return Hex.encode(tag).slice(0, 32)
  }).pipe(
    Effect.provide(layerMac),
    // WebCrypto signs with a key of its own making, or the runtime is broken.
    Effect.orDie
  )
