import { JwtAssertion } from "@effect-identity/oauth"
import { SecretSweep } from "@effect-identity/testing"
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Redacted } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import * as jose from "jose"
import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto"

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 })

const pem = (key: KeyObject, type: "pkcs1" | "pkcs8" | "sec1" | "spki", passphrase?: string): string =>
  key.export({
    type,
    format: "pem",
    ...(passphrase !== undefined && { cipher: "aes-256-cbc", passphrase })
  }).toString()

const pkcs8 = pem(rsa.privateKey, "pkcs8")
const pkcs1 = pem(rsa.privateKey, "pkcs1")

const importPem = (text: string) => JwtAssertion.importKey({ keyId: "kid", pem: Redacted.make(text) })

const claims = { issuer: "app", audience: "api.coze.cn" }

const verify = (assertion: Redacted.Redacted, currentDate?: Date) =>
  Effect.promise(() =>
    jose.jwtVerify(Redacted.value(assertion), createPublicKey(rsa.publicKey.export({ type: "spki", format: "pem" })), {
      algorithms: ["RS256"],
      issuer: "app",
      audience: "api.coze.cn",
      requiredClaims: ["iat", "exp", "jti"],
      ...(currentDate !== undefined && { currentDate })
    })
  )

describe("JwtAssertion.importKey", () => {
  for (
    const [what, text] of [
      ["PKCS#8", pkcs8],
      ["PKCS#1", pkcs1],
      ["PKCS#8 with CRLF", pkcs8.replaceAll("\n", "\r\n")],
      ["PKCS#8 with escaped line breaks", pkcs8.replaceAll("\n", "\\n")],
      ["PKCS#1 with escaped line breaks", pkcs1.replaceAll("\n", "\\n")],
      ["PKCS#8 with escaped CRLF", pkcs8.replaceAll("\n", "\\r\\n")],
      ["PKCS#8 with blanks for line breaks", pkcs8.replaceAll("\n", " ")],
      ["PKCS#8 without line breaks", pkcs8.replaceAll("\n", "")],
      ["PKCS#8 among blank lines", `\n\n  ${pkcs8}\n\n`]
    ] as const
  ) {
    it.live(`reads ${what}, and what it signs is verified by another library`, () =>
      Effect.gen(function*() {
        const { protectedHeader } = yield* verify(yield* JwtAssertion.sign(yield* importPem(text), claims))
        assert.deepStrictEqual(protectedHeader, { alg: "RS256", typ: "JWT", kid: "kid" })
      }))
  }

  const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey
  const body = pkcs8.split("\n").slice(1, -2)
  const certificate = pkcs8.replaceAll("PRIVATE KEY", "CERTIFICATE")

  for (
    const [what, text, rule] of [
      ["nothing", "", /is not PEM/],
      ["a path", "/run/secrets/key.pem", /is not PEM/],
      ["base64 without armour", body.join(""), /is not PEM/],
      ["a JWK", JSON.stringify(rsa.privateKey.export({ format: "jwk" })), /is not PEM/],
      ["an encrypted PKCS#8 key", pem(rsa.privateKey, "pkcs8", "secret"), /is encrypted/],
      ["an encrypted PKCS#1 key", pem(rsa.privateKey, "pkcs1", "secret"), /is encrypted/],
      ["an EC key", pem(ec, "sec1"), /is an EC key/],
      ["an EC key in PKCS#8", pem(ec, "pkcs8"), /is an EC key/],
      ["an Ed25519 key", pem(generateKeyPairSync("ed25519").privateKey, "pkcs8"), /is an Ed25519 key/],
      ["an X25519 key", pem(generateKeyPairSync("x25519").privateKey, "pkcs8"), /is an X25519 key/],
      [
        "a key for RSA-PSS",
        pem(generateKeyPairSync("rsa-pss", { modulusLength: 2048 }).privateKey, "pkcs8"),
        /is a key for RSA-PSS only/
      ],
      ["a DSA key", pkcs8.replaceAll("PRIVATE KEY", "DSA PRIVATE KEY"), /is a DSA key/],
      ["an Ed448 key", pem(generateKeyPairSync("ed448").privateKey, "pkcs8"), /a kind that is not known/],
      ["a public key", pem(rsa.publicKey, "spki"), /is a public key/],
      ["a PKCS#1 public key", pem(rsa.publicKey, "pkcs1"), /is a public key/],
      ["a certificate", certificate, /is a certificate/],
      ["a key of OpenSSH", pkcs8.replaceAll("PRIVATE KEY", "OPENSSH PRIVATE KEY"), /format of OpenSSH/],
      ["PEM of another kind", pkcs8.replaceAll("PRIVATE KEY", "X509 CRL"), /PEM of a kind that is not known/],
      ["a label of the prototype", pkcs8.replaceAll("PRIVATE KEY", "CONSTRUCTOR"), /PEM of a kind that is not known/],
      ["a key without its end", pkcs8.slice(0, 400), /is cut off/],
      [
        "a key that lacks lines",
        [...pkcs8.split("\n").slice(0, 10), ...pkcs8.split("\n").slice(-2)].join("\n"),
        /is cut/
      ],
      [
        "a PKCS#1 key that lacks lines",
        [...pkcs1.split("\n").slice(0, 10), ...pkcs1.split("\n").slice(-2)].join("\n"),
        /is cut/
      ],
      ["a key that lacks characters", pkcs8.replace(body[3] ?? "", (body[3] ?? "").slice(1)), /is not base64|is cut/],
      [
        "a key with characters of another alphabet",
        pkcs8.replace(body[3] ?? "", `ä${body[3]?.slice(1)}`),
        /not base64/
      ],
      ["two keys", pkcs8 + pkcs8, /must be one PEM block/],
      ["a key with its certificate", pkcs8 + certificate, /must be one PEM block/],
      ["a key with text before it", `Bag Attributes\n${pkcs8}`, /must be one PEM block/],
      ["PKCS#1 under the label of PKCS#8", pkcs1.replaceAll("RSA PRIVATE KEY", "PRIVATE KEY"), /is not PKCS#8/],
      ["a key of 1024 bits", pem(generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey, "pkcs8"), /2048 bits/],
      ["DER that is no key", "-----BEGIN RSA PRIVATE KEY-----\nMAMCAQA=\n-----END RSA PRIVATE KEY-----", /can be used/]
    ] as const
  ) {
    it.effect(`says what is wrong with ${what}, and does not show it`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(importPem(text))
        assert.strictEqual(error._tag, "InvalidKey")
        assert.match(error.message, rule)
        const lines = Object.fromEntries(text.split(/\r?\n/).map((line, index) => [`line ${index}`, line]))
        const secrets = Object.fromEntries(Object.entries(lines).filter(([, line]) => /^[\w+/=]{20,}$/.test(line)))
        assert.deepStrictEqual(SecretSweep.find(error, secrets), [])
      }))
  }

  it("says something of any text at all", () =>
    fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string(),
          fc.tuple(fc.constantFrom(pkcs8, pkcs1), fc.nat(1800), fc.nat(200), fc.string()).map(
            ([text, at, length, other]) => text.slice(0, at) + other + text.slice(at + length)
          ),
          fc.tuple(fc.constantFrom("PRIVATE KEY", "RSA PRIVATE KEY"), fc.uint8Array({ maxLength: 300 })).map(
            ([label, bytes]) =>
              `-----BEGIN ${label}-----\n${Buffer.from(bytes).toString("base64")}\n-----END ${label}-----`
          )
        ),
        async (text) => {
          const rule = await Effect.runPromise(Effect.match(importPem(text), {
            onFailure: ({ rule }) => rule,
            onSuccess: () => "is a key"
          }))
          assert.match(rule, /^(?:is|must) /)
        }
      ),
      { numRuns: 2_000 }
    ))

  it.effect("shows nothing of a key it has read, and lets nobody export it", () =>
    Effect.gen(function*() {
      const key = yield* importPem(pkcs8)
      assert.deepStrictEqual(SecretSweep.find(key, { key: body.join("") }), [])
    }))
})

describe("JwtAssertion.sign", () => {
  it.effect("is valid for ten minutes from now, or for as long as it is told", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(1_700_000_000_900)
      const key = yield* importPem(pkcs8)
      const now = DateTime.toDateUtc(DateTime.makeUnsafe(1_700_000_001_000))
      const standard = yield* verify(yield* JwtAssertion.sign(key, claims), now)
      assert.deepStrictEqual([standard.payload.iat, standard.payload.exp], [1_700_000_000, 1_700_000_600])
      const short = yield* verify(yield* JwtAssertion.sign(key, { ...claims, lifetime: "90 seconds" }), now)
      assert.strictEqual(short.payload.exp, 1_700_000_090)
    }))

  it.effect("lies back as far as it is told, and names neither key nor audience where there is none", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(1_700_000_000_000)
      const { key } = yield* importPem(pkcs8)
      const assertion = yield* JwtAssertion.sign(new JwtAssertion.SigningKey({ key, keyId: undefined }), {
        issuer: "app",
        backdate: "1 minute"
      })
      const payload = jose.decodeJwt(Redacted.value(assertion))
      assert.deepStrictEqual([payload.iat, payload.exp, payload.aud], [1_699_999_940, 1_700_000_600, undefined])
      assert.deepStrictEqual(jose.decodeProtectedHeader(Redacted.value(assertion)), { alg: "RS256", typ: "JWT" })
    }))

  it.effect("says who it is about, and what else it is told, but never instead of its own", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(1_700_000_000_000)
      const assertion = yield* JwtAssertion.sign(yield* importPem(pkcs8), {
        ...claims,
        subject: "alice",
        others: { session_name: "ä \"quoted\"", iss: "mallory", aud: "elsewhere", exp: 9e9, jti: "again" }
      })
      const { payload } = yield* verify(assertion, DateTime.toDateUtc(DateTime.makeUnsafe(1_700_000_000_000)))
      assert.deepInclude(payload, { sub: "alice", session_name: "ä \"quoted\"", exp: 1_700_000_600 })
      assert.match(payload.jti ?? "", /^[\w-]{43}$/)
    }))

  it.live("never signs the same twice: 10,000 assertions have 10,000 identifiers of 32 bytes", () =>
    Effect.gen(function*() {
      const key = yield* importPem(pkcs8)
      const assertions = yield* Effect.forEach(
        Array.from({ length: 10_000 }),
        () => JwtAssertion.sign(key, claims),
        { concurrency: 64 }
      )
      const identifiers = new Set(assertions.map((assertion) => jose.decodeJwt(Redacted.value(assertion)).jti))
      assert.strictEqual(identifiers.size, 10_000)
      assert.isTrue([...identifiers].every((jti) => Buffer.from(jti ?? "", "base64url").length === 32))
    }))

  it.effect("shows nothing of itself", () =>
    Effect.gen(function*() {
      const assertion = yield* JwtAssertion.sign(yield* importPem(pkcs8), claims)
      assert.deepStrictEqual(SecretSweep.find(assertion, { assertion: Redacted.value(assertion) }), [])
    }))
})
