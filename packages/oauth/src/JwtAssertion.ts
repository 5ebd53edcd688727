/**
 * Signs assertions (RFC 7523 §3): JWTs by which a client proves who it is, with a key that never leaves it.
 *
 * RS256 over WebCrypto, so it runs wherever that does. A key is imported once, cannot be exported again and shows itself
 * nowhere.
 *
 * @since 0.1.0
 */
import { WebCrypto } from "effect/crypto/WebCrypto"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Redacted from "effect/Redacted"
import * as Instant from "./Instant.ts"
import * as PrivateKeyPem from "./internal/PrivateKeyPem.ts"

/**
 * A key that cannot be used. `rule` says what it is instead and never quotes it.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class InvalidKey extends Data.TaggedError("InvalidKey")<{ readonly rule: string }> {
  override get message(): string {
    return `the private key ${this.rule}`
  }
}

/**
 * A private key, and the name its public half is registered under (`kid`), where it has one.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export class SigningKey extends Data.Class<{
  readonly keyId: string | undefined
  /** Not extractable. */
  readonly key: CryptoKey
}> {}

const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" } as const

/** RFC 7518 §3.3. */
const minimumBits = 2048

const bitsOf = ({ algorithm }: CryptoKey): number =>
  "modulusLength" in algorithm && typeof algorithm.modulusLength === "number" ? algorithm.modulusLength : 0

/**
 * Reads a private RSA key of at least 2048 bits in PEM, PKCS#8 or PKCS#1, with line breaks that are real, escaped (`\n`) or
 * lost.
 *
 * Fails with `InvalidKey`, which tells encrypted keys, keys of another kind, public keys, certificates and keys that are cut
 * off from each other.
 *
 * @example
 * ```ts
 * import { JwtAssertion } from "@effect-identity/oauth"
 * import { Effect, Redacted } from "effect"
 *
 * const imported = JwtAssertion.importKey({
 *   keyId: "fingerprint",
 *   pem: Redacted.make("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----")
 * })
 *
 * const { message } = await Effect.runPromise(Effect.flip(imported))
 * message // => "the private key is a certificate, the private key is needed"
 * ```
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const importKey = Effect.fnUntraced(function*(options: {
  readonly keyId?: string | undefined
  readonly pem: Redacted.Redacted
}): Effect.fn.Return<SigningKey, InvalidKey> {
  const refuse = (rule: string) => new InvalidKey({ rule })
  const { subtle } = yield* WebCrypto
  const pkcs8 = yield* Effect.mapError(Effect.fromResult(PrivateKeyPem.read(Redacted.value(options.pem))), refuse)
  const key = yield* Effect.tryPromise({
    try: () => subtle.importKey("pkcs8", pkcs8, algorithm, false, ["sign"]),
    catch: () => refuse("is not an RSA key that can be used")
  })
  if (bitsOf(key) < minimumBits) return yield* refuse(`must have at least ${minimumBits} bits`)
  return new SigningKey({ keyId: options.keyId, key })
})

/**
 * What an assertion says besides its times and its `jti`.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Claims {
  /** `iss`: who asks. */
  readonly issuer: string
  /** `aud`: who is asked. RFC 7523 wants it; some servers (GitHub) do without. */
  readonly audience?: string | undefined
  /** `sub`: whom the token is for. */
  readonly subject?: string | undefined
  /** Until `exp`. @default 10 minutes */
  readonly lifetime?: Duration.Input | undefined
  /** How far `iat` lies back, for servers whose clock may be behind. @default zero */
  readonly backdate?: Duration.Input | undefined
  /** Claims besides, by name. They do not replace any of the above. */
  readonly others?: Readonly<Record<string, unknown>> | undefined
}

const standardLifetime = Duration.minutes(10)

/** RFC 7519 asks for a negligible probability of two alike; servers ask for so many bytes. */
const jtiBytes = 32

const segment = (value: object): string => Base64Url.encode(JSON.stringify(value))

/**
 * Signs an assertion that has never been before: its `jti` is 32 random bytes. Servers take each but once (RFC 7523 §3), so
 * whoever repeats a request runs this again.
 *
 * @example
 * ```ts
 * import { JwtAssertion } from "@effect-identity/oauth"
 * import { Effect, Redacted } from "effect"
 * import { generateKeyPairSync } from "node:crypto"
 *
 * const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
 * const pem = Redacted.make(privateKey.export({ type: "pkcs8", format: "pem" }).toString())
 *
 * const program = Effect.gen(function*() {
 *   const key = yield* JwtAssertion.importKey({ keyId: "fingerprint", pem })
 *   return yield* JwtAssertion.sign(key, { issuer: "app", audience: "api.coze.cn" })
 * })
 *
 * const assertion = await Effect.runPromise(program)
 * Redacted.value(assertion).split(".").length // => 3
 * ```
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const sign = Effect.fnUntraced(function*(
  { key, keyId }: SigningKey,
  claims: Claims
): Effect.fn.Return<Redacted.Redacted> {
  const crypto = yield* WebCrypto
  const issuedAt = Math.floor((yield* Instant.now).wall / 1000)
  const lifetime = Duration.toSeconds(claims.lifetime ?? standardLifetime)
  const header = segment({ alg: "RS256", typ: "JWT", ...(keyId !== undefined && { kid: keyId }) })
  const backdate = Duration.toSeconds(claims.backdate ?? Duration.zero)
  const payload = segment({
    ...claims.others,
    iss: claims.issuer,
    ...(claims.audience !== undefined && { aud: claims.audience }),
    ...(claims.subject !== undefined && { sub: claims.subject }),
    iat: issuedAt - Math.ceil(backdate),
    exp: issuedAt + Math.floor(lifetime),
    jti: Base64Url.encode(crypto.getRandomValues(new Uint8Array(jtiBytes)))
  })
  // WebCrypto signs with a key it has imported for that, or the runtime is broken.
  const signature = yield* Effect.promise(() =>
    crypto.subtle.sign(algorithm.name, key, new TextEncoder().encode(`${header}.${payload}`))
  )
  return Redacted.make(`${header}.${payload}.${Base64Url.encode(new Uint8Array(signature))}`, { label: "assertion" })
})
