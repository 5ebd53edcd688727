/**
 * Looks for secrets where none may be: in anything a program shows, logs, serialises or answers.
 *
 * @since 0.1.0
 */
import { inspect } from "node:util"

const partLength = 12

const encodings = (secret: string): Readonly<Record<string, string>> => {
  const bytes = Buffer.from(secret)
  return {
    raw: secret,
    base64: bytes.toString("base64").replace(/=+$/, ""),
    base64url: bytes.toString("base64url"),
    hex: bytes.toString("hex"),
    url: encodeURIComponent(secret),
    form: new URLSearchParams({ s: secret }).toString().slice(2),
    json: JSON.stringify(secret).slice(1, -1)
  }
}

const partsOf = (text: string): ReadonlyArray<string> =>
  text.length <= partLength
    ? [text]
    : Array.from({ length: text.length - partLength + 1 }, (_, start) => text.slice(start, start + partLength))

const json = (value: unknown): string => {
  try {
    return JSON.stringify(value) ?? ""
  } catch {
    return ""
  }
}

const faces = (value: unknown): Readonly<Record<string, string>> => ({
  string: String(value),
  json: json(value),
  inspect: inspect(value, { depth: 10, showHidden: true }),
  ...(value instanceof Error ? { message: value.message, stack: value.stack ?? "" } : {})
})

/**
 * Where `value` shows a secret: each secret, or any 12 characters of it, raw, in base64, in hex, URL-, form- or
 * JSON-escaped, is looked for in every way of printing the value. Empty when there is nothing to be found. A finding
 * names the secret by its key.
 *
 * @example
 * ```ts
 * import { SecretSweep } from "@effect-identity/testing"
 *
 * const findings = SecretSweep.find(new Error("refused: hunter2-hunter2"), { password: "hunter2-hunter2" })
 * findings[0] // => "password (raw) in string"
 * ```
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const find = (value: unknown, secrets: Readonly<Record<string, string>>): ReadonlyArray<string> => {
  const shown = Object.entries(faces(value)).map(([face, text]) => [face, text.toLowerCase()] as const)
  return Object.entries(secrets).flatMap(([name, secret]) =>
    Object.entries(encodings(secret)).flatMap(([encoding, encoded]) => {
      const parts = partsOf(encoded.toLowerCase())
      return shown
        .filter(([, text]) => parts.some((part) => text.includes(part)))
        .map(([face]) => `${name} (${encoding}) in ${face}`)
    })
  )
}
