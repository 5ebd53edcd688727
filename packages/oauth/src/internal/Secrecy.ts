/**
 * What may be repeated of a server's words.
 */
import * as Base64 from "effect/encoding/Base64"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Hex from "effect/encoding/Hex"

const partLength = 12

const encodings = (secret: string): ReadonlyArray<string> => {
  const bytes = new TextEncoder().encode(secret)
  return [
    secret,
    Base64.encode(bytes).replace(/=+$/, ""),
    Base64Url.encode(bytes),
    Hex.encode(bytes),
    new URLSearchParams({ secret }).toString().slice("secret=".length),
    encodeURIComponent(secret.toWellFormed()),
    JSON.stringify(secret).slice(1, -1)
  ]
}

const repeats = (text: string, secret: string): boolean => {
  if (secret.length <= partLength) return secret !== "" && text.includes(secret)
  for (let start = 0; start + partLength <= secret.length; start++) {
    if (text.includes(secret.slice(start, start + partLength))) return true
  }
  return false
}

const mentions = (text: string, secrets: ReadonlyArray<string>): boolean => {
  const folded = text.toLowerCase()
  return secrets.some((secret) => encodings(secret).some((encoded) => repeats(folded, encoded.toLowerCase())))
}

/** A word of a known alphabet, or nothing. */
export const word = (value: unknown, secrets: ReadonlyArray<string>): string | undefined =>
  typeof value === "string" && /^[\w.:/-]{1,100}$/.test(value) && !mentions(value, secrets) ? value : undefined

/** A sentence in the characters RFC 6749 §5.2 allows, cut at 200, or nothing when it repeats part of a secret. */
export const sentence = (value: unknown, secrets: ReadonlyArray<string>): string | undefined => {
  if (typeof value !== "string" || mentions(value, secrets)) return undefined
  const legal = value.slice(0, 200).replace(/[^\x21\x23-\x5b\x5d-\x7e]+/g, " ").trim()
  return legal === "" ? undefined : legal
}

/**
 * A text on one line, cut at 500 characters, or nothing when it repeats part of a secret. Characters that move others
 * around on a screen are dropped with the control characters.
 */
export const text = (value: unknown, secrets: ReadonlyArray<string>): string | undefined => {
  if (typeof value !== "string" || mentions(value, secrets)) return undefined
  const legal = value.slice(0, 500).toWellFormed().replace(/[\s\p{Cc}\p{Cf}]+/gu, " ").trim()
  return legal === "" ? undefined : legal
}
