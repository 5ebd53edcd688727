/**
 * A short name for a secret that does not help to guess it: an HMAC under a key that this process drew and nobody else
 * knows. Equal secrets have equal fingerprints as long as the process lives.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Hex from "effect/encoding/Hex"
import * as Redacted from "effect/Redacted"

let drawn: Promise<CryptoKey> | undefined

const keyOfProcess = (): Promise<CryptoKey> =>
  drawn ??= crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, false, ["sign"])

// The runtime signs with a key of its own making, or it is broken.
const webCrypto = (bytes: Uint8Array<ArrayBuffer>): Effect.Effect<Uint8Array> =>
  Effect.promise(async () => new Uint8Array(await crypto.subtle.sign("HMAC", await keyOfProcess(), bytes)))

/**
 * HMAC-SHA-256 of some bytes under a key that this process drew. WebCrypto's, unless a runtime has one that waits for nothing.
 * Whoever puts another in its place does so for a whole program: under two keys one secret has two fingerprints.
 *
 * @stability unstable
 * @category references
 * @since 0.1.0
 */
export const Hmac: Context.Reference<(bytes: Uint8Array<ArrayBuffer>) => Effect.Effect<Uint8Array>> = Context.Reference(
  "@effect-identity/oauth/Fingerprint/Hmac",
  { defaultValue: () => webCrypto }
)

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
    const hmac = yield* Hmac
    return Hex.encode(yield* hmac(new TextEncoder().encode(Redacted.value(secret)))).slice(0, 32)
  })
