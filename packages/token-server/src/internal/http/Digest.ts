/**
 * The texts of API keys and their digests. This module is the one that asks Node for both: a key is looked up for every
 * request, and the digest of WebCrypto takes a turn of the event loop.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { hash, randomBytes } from "node:crypto"

/** 256 random bits, and what tells scanners of repositories that it is a key. */
export const generate: Effect.Effect<Redacted.Redacted> = Effect.sync(() =>
  Redacted.make(`tsk_${randomBytes(32).toString("base64url")}`, { label: "api-key" })
)

/** Names a row or an incident. */
export const randomId: Effect.Effect<string> = Effect.sync(() => randomBytes(12).toString("hex"))

const shape = /^tsk_[\w-]{43}$/

/**
 * SHA-256, in 64 hexadecimal digits, or undefined for what no key looks like. Keys are found by it, so what the time of a
 * lookup tells is about a digest, of which nobody can choose the first digits.
 */
export const ofUnsafe = (text: string): string | undefined => shape.test(text) ? hash("sha256", text, "hex") : undefined
