/**
 * Certificates that are trusted besides those Node trusts anyway.
 *
 * They are read and checked before anything is connected: Node itself takes any text for a certificate and then trusts
 * nobody.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Result from "effect/Result"
import { X509Certificate } from "node:crypto"
import type { SecureContext } from "node:tls"
import type { ConfigurationIssue } from "../WorkloadIdentityError.ts"
import * as Builtin from "./internal/Builtin.ts"
import * as SettingFile from "./internal/SettingFile.ts"

/**
 * Certificates in PEM, each of which can be used.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export class CaBundle extends Data.Class<{
  readonly certificates: ReadonlyArray<string>
  /** Positions, from 1, of certificates that are not valid at this time and were left out. */
  readonly outdated: ReadonlyArray<number>
  /** The file they were read from; absent when they were given as text. */
  readonly path: string | undefined
}> {
  /** A context for TLS connections that trusts these and what Node trusts by default. */
  toSecureContext(): SecureContext {
    const { createSecureContext, getCACertificates } = Builtin.tls()
    return createSecureContext({ ca: [...getCACertificates("default"), ...this.certificates] })
  }
}

const maximumBytes = 4 * 1024 * 1024

const refuse = (name: string, rule: string): Result.Result<never, ConfigurationIssue> => Result.fail({ name, rule })

const certificateOf = (block: string): X509Certificate | undefined => {
  try {
    return new X509Certificate(block)
  } catch {
    return undefined
  }
}

const isValidAt = (certificate: X509Certificate, millis: number): boolean =>
  certificate.validFromDate.getTime() <= millis && millis <= certificate.validToDate.getTime()

/**
 * Reads certificates from text. Comments and any line endings may stand around them; line breaks may be escaped. `name`
 * is what issues call the setting, `now` (milliseconds since the epoch) decides which certificates are outdated.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const fromText = (
  name: string,
  text: string,
  now: number,
  path?: string
): Result.Result<CaBundle, ConfigurationIssue> => {
  const pem = text.includes("\n") ? text : text.replaceAll("\\n", "\n")
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) return refuse(name, "must not contain a private key")
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? []
  const begun = pem.split("-----BEGIN CERTIFICATE-----").length - 1
  if (begun === 0) return refuse(name, "must contain at least one certificate in PEM")
  if (begun !== blocks.length) return refuse(name, `has a certificate that does not end (of ${begun})`)
  const usable: Array<string> = []
  const outdated: Array<number> = []
  for (const [index, block] of blocks.entries()) {
    const certificate = certificateOf(block)
    if (certificate === undefined) return refuse(name, `has a certificate that cannot be read (number ${index + 1})`)
    if (isValidAt(certificate, now)) usable.push(block)
    else outdated.push(index + 1)
  }
  return usable.length === 0
    ? refuse(name, "has no certificate that is valid at this time")
    : Result.succeed(new CaBundle({ certificates: usable, outdated, path }))
}

/**
 * Reads certificates from a file, of 4 MiB at most.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const fromFile = (name: string, path: string, now: number): Result.Result<CaBundle, ConfigurationIssue> =>
  Result.flatMap(SettingFile.read(name, path, maximumBytes), (text) => fromText(name, text, now, path))
