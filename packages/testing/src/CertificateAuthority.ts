/**
 * A certificate authority of one's own, for servers that a test trusts and nobody else does. Imported by itself, from
 * `@effect-identity/testing/CertificateAuthority`, because few tests want what it loads.
 *
 * @since 0.1.0
 */
import "reflect-metadata"
import * as x509 from "@peculiar/x509"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"

/**
 * A key and its certificate, in PEM.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Identity {
  readonly key: string
  readonly cert: string
}

/**
 * An authority of its own, which nobody trusts unless told to.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface CertificateAuthority {
  /** The certificate to trust, in PEM. */
  readonly cert: string
  /** Makes a server's identity, for host names and addresses. */
  readonly issue: (names: ReadonlyArray<string>, options?: {
    /** Days from now until it is valid. Negative for one that has been for a while. @default -1 */
    readonly validFrom?: number | undefined
    /** Days from now until it ends. @default 1 */
    readonly validTo?: number | undefined
  }) => Effect.Effect<Identity>
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const

const inDays = (now: DateTime.Utc, days: number): Date => DateTime.toDateUtc(DateTime.add(now, { days }))

const generalName = (value: string) =>
  ({ type: /^[\d.]+$|:/.test(value) ? "ip" : "dns", value }) satisfies x509.JsonGeneralName

const generateKeys = Effect.promise(() => crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]))

const pemOfKey = (key: CryptoKey) =>
  Effect.map(
    Effect.promise(() => crypto.subtle.exportKey("pkcs8", key)),
    (bytes) => x509.PemConverter.encode(bytes, "PRIVATE KEY")
  )

const serialNumber = () => Buffer.from(crypto.getRandomValues(new Uint8Array(8))).toString("hex").replace(/^./, "1")

/**
 * Makes an authority. Its keys live as long as the process.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make: Effect.Effect<CertificateAuthority> = Effect.gen(function*() {
  const now = yield* DateTime.now
  const keys = yield* generateKeys
  const number = serialNumber()
  const authority = yield* Effect.promise(() =>
    x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: number,
      // Whoever trusts two authorities of one name may look at the wrong one.
      name: `CN=loopback authority ${number}`,
      notBefore: inDays(now, -1),
      notAfter: inDays(now, 1),
      signingAlgorithm: algorithm,
      keys,
      extensions: [new x509.BasicConstraintsExtension(true, 1, true)]
    })
  )

  const issue: CertificateAuthority["issue"] = Effect.fnUntraced(function*(names, options = {}) {
    const own = yield* generateKeys
    const cert = yield* Effect.promise(() =>
      x509.X509CertificateGenerator.create({
        serialNumber: serialNumber(),
        subject: `CN=${names[0]}`,
        issuer: authority.subject,
        notBefore: inDays(now, options.validFrom ?? -1),
        notAfter: inDays(now, options.validTo ?? 1),
        signingAlgorithm: algorithm,
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        extensions: [
          new x509.SubjectAlternativeNameExtension(names.map(generalName))
        ]
      })
    )
    return { key: yield* pemOfKey(own.privateKey), cert: cert.toString("pem") }
  })

  return { cert: authority.toString("pem"), issue }
})
