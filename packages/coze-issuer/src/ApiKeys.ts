/**
 * API keys of callers, known by their SHA-256 digests only: whoever reads the settings cannot call.
 *
 * @since 0.1.0
 */
import { WebCrypto } from "effect/crypto/WebCrypto"
import * as Effect from "effect/Effect"
import * as Hex from "effect/encoding/Hex"
import * as Result from "effect/Result"
import * as Input from "./internal/Input.ts"

/**
 * A caller, and what it may do.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface ApiKey {
  /** What it is called in logs. */
  readonly name: string
  /** SHA-256 of the key, 64 hexadecimal digits. */
  readonly digest: string
  /** Whether it may ask for tokens of sessions, of any that it names. @default false */
  readonly sessions?: boolean | undefined
}

/**
 * @internal
 */
export const isDigest = (text: string): boolean => /^[\da-f]{64}$/i.test(text)

const entry = /^([\w.-]{1,64}):([\da-f]{64})(:sessions)?$/i

/**
 * Reads `name:digest` and `name:digest:sessions`, with commas or white space between.
 *
 * @internal
 */
export const parse = (given: Input.Input) => {
  const entries = String(given.value).split(/[\s,]+/).filter((text) => text !== "")
  const keys = entries.flatMap((text): ReadonlyArray<ApiKey> => {
    const [, name, digest, sessions] = entry.exec(text) ?? []
    return name === undefined || digest === undefined ? [] : [{ name, digest, sessions: sessions !== undefined }]
  })
  return keys.length > 0 && keys.length === entries.length
    ? Result.succeed(keys)
    : Input.refuse(
      given,
      "must be entries name:sha256 or name:sha256:sessions, commas between, sha256 in hexadecimal"
    )
}

/** Looks at every byte of both, whatever it finds. */
const isEqual = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.reduce((difference, byte, index) => difference | (byte ^ (b[index] ?? 0)), 0) === 0

/**
 * Whose key this is. Every known digest is compared in full, so that the time it takes tells nothing.
 *
 * @example
 * ```ts
 * import { ApiKeys } from "@effect-identity/coze-issuer"
 * import { Effect } from "effect"
 *
 * const digest = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"
 *
 * const found = await Effect.runPromise(ApiKeys.find([{ name: "web", digest }], "secret"))
 * found?.name // => "web"
 * ```
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const find = Effect.fnUntraced(function*(
  keys: ReadonlyArray<ApiKey>,
  presented: string
): Effect.fn.Return<ApiKey | undefined> {
  const { subtle } = yield* WebCrypto
  const digest = yield* Effect.promise(() => subtle.digest("SHA-256", new TextEncoder().encode(presented)))
  let found: ApiKey | undefined
  for (const key of keys) {
    const known = Hex.decode(key.digest)
    if (Result.isSuccess(known) && isEqual(known.success, new Uint8Array(digest))) found = key
  }
  return found
})
