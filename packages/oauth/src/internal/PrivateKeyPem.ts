/**
 * Reads a private RSA key in PEM (RFC 7468), as PKCS#8 (RFC 5208) or PKCS#1 (RFC 8017), and says what a text is that is
 * none. Pure and total; no rule quotes what was read.
 */
import * as Base64 from "effect/encoding/Base64"
import * as Hex from "effect/encoding/Hex"
import * as Result from "effect/Result"
import * as Der from "./Der.ts"

type Rule = string

const isCutOff = "is cut off: the key in it is longer than what is there"

/** What else is kept in PEM, by its label. */
const others: { readonly [label: string]: Rule } = {
  "ENCRYPTED PRIVATE KEY": "is encrypted: decrypt it first, for example with openssl pkey",
  "EC PRIVATE KEY": "is an EC key, an RSA key is needed",
  "DSA PRIVATE KEY": "is a DSA key, an RSA key is needed",
  "OPENSSH PRIVATE KEY": "is in the format of OpenSSH, PKCS#8 or PKCS#1 is needed",
  "PUBLIC KEY": "is a public key, the private key is needed",
  "RSA PUBLIC KEY": "is a public key, the private key is needed",
  "CERTIFICATE": "is a certificate, the private key is needed",
  "CERTIFICATE REQUEST": "is a certificate request, the private key is needed"
}

/** What PKCS#8 says a key is for, by its object identifier. */
const algorithms: { readonly [oid: string]: "rsa" | Rule } = {
  "2a864886f70d010101": "rsa",
  "2a864886f70d01010a": "is a key for RSA-PSS only, one for any RSA signature is needed",
  "2a8648ce3d0201": "is an EC key, an RSA key is needed",
  "2b6570": "is an Ed25519 key, an RSA key is needed",
  "2b656e": "is an X25519 key, an RSA key is needed"
}

// rsaEncryption (RFC 8017 appendix A.1) with its parameter NULL, and version 0.
const rsaEncryption = Uint8Array.of(0x30, 13, 6, 9, 42, 134, 72, 134, 247, 13, 1, 1, 1, 5, 0)
const version0 = Uint8Array.of(Der.tags.integer, 1, 0)

const readPkcs1 = (der: Uint8Array): Result.Result<Uint8Array<ArrayBuffer>, Rule> =>
  Der.readOnly(der, Der.tags.sequence) === undefined
    ? Result.fail(isCutOff)
    : Result.succeed(Der.write(Der.tags.sequence, version0, rsaEncryption, Der.write(Der.tags.octetString, der)))

const readPkcs8 = (der: Uint8Array): Result.Result<Uint8Array<ArrayBuffer>, Rule> => {
  const key = Der.readOnly(der, Der.tags.sequence)
  if (key === undefined) return Result.fail(isCutOff)
  const version = Der.read(key)
  const algorithm = version?.tag === Der.tags.integer ? Der.read(version.rest) : undefined
  const oid = algorithm?.tag === Der.tags.sequence ? Der.read(algorithm.content) : undefined
  if (oid?.tag !== Der.tags.objectIdentifier) return Result.fail("is not PKCS#8, which its label says it is")
  const found = algorithms[Hex.encode(oid.content)] ?? "is a key of a kind that is not known, an RSA key is needed"
  return found === "rsa" ? Result.succeed(Uint8Array.from(der)) : Result.fail(found)
}

const block = /-----BEGIN ([A-Z0-9 ]+)-----([\s\S]*?)-----END \1-----/g

/** Environment variables that cannot hold a line break have it escaped, and some lose it altogether. */
const withLineBreaks = (text: string): string => text.replaceAll(/\\r\\n|\\n|\\r/g, "\n").trim()

/** The bytes of the key in PKCS#8. */
export const read = (input: string): Result.Result<Uint8Array<ArrayBuffer>, Rule> => {
  const text = withLineBreaks(input)
  if (!text.includes("-----BEGIN ")) {
    return Result.fail("is not PEM: a line -----BEGIN PRIVATE KEY----- is needed")
  }
  const [first, ...more] = Array.from(text.matchAll(block))
  if (first === undefined) return Result.fail("is cut off: the line that ends it is missing")
  if (more.length > 0 || first[0].length !== text.length) {
    return Result.fail("must be one PEM block with nothing around it")
  }
  const [, label = "", content = ""] = first
  if (/Proc-Type:.*ENCRYPTED/.test(content)) return Result.fail(others["ENCRYPTED PRIVATE KEY"] ?? "is encrypted")
  const other = Object.hasOwn(others, label) ? others[label] : undefined
  if (other !== undefined) return Result.fail(other)
  if (label !== "PRIVATE KEY" && label !== "RSA PRIVATE KEY") {
    return Result.fail("is PEM of a kind that is not known, a private key is needed")
  }
  const der = Base64.decode(content.replaceAll(/\s+/g, ""))
  if (Result.isFailure(der)) return Result.fail("is not base64: it is cut off, or characters of it are lost")
  return label === "PRIVATE KEY" ? readPkcs8(der.success) : readPkcs1(der.success)
}
