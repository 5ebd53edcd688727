/**
 * The text of master keys: entries `id:key` with commas or line ends between, keys being 32 bytes in Base64.
 */
import * as Data from "effect/Data"
import * as Base64 from "effect/encoding/Base64"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"

export interface MasterKey {
  readonly id: string
  readonly bytes: Redacted.Redacted<Uint8Array>
}

/** At least one: the first seals. */
export type MasterKeys = readonly [MasterKey, ...ReadonlyArray<MasterKey>]

/** Keys with which the server must not start. Ids are shown, keys are not. */
export class MasterKeysRefused extends Data.TaggedError("MasterKeysRefused")<{ readonly rule: string }> {
  override get message(): string {
    return `master keys: ${this.rule}`
  }
}

const refuse = (rule: string) => Result.fail(new MasterKeysRefused({ rule }))

const keyBytes = 32

const entry = (text: string, position: number): Result.Result<MasterKey, MasterKeysRefused> => {
  const colon = text.indexOf(":")
  const id = text.slice(0, colon)
  // What has no id could be a key, so it is named by its place.
  if (colon < 0 || !/^[\w.-]{1,64}$/.test(id)) {
    return refuse(`entry ${position + 1} must be id:key, the id of letters, digits, ".", "_" and "-"`)
  }
  const bytes = Base64.decode(text.slice(colon + 1))
  if (Result.isFailure(bytes)) return refuse(`the key ${id} must be Base64`)
  return bytes.success.length === keyBytes
    ? Result.succeed({ id, bytes: Redacted.make(bytes.success, { label: "master key" }) })
    : refuse(`the key ${id} must have ${keyBytes} bytes`)
}

export const parse = (text: Redacted.Redacted): Result.Result<MasterKeys, MasterKeysRefused> =>
  Result.flatMap(
    Result.all(Redacted.value(text).split(/[\s,]+/).filter((part) => part !== "").map(entry)),
    ([first, ...others]) => {
      if (first === undefined) return refuse("there must be one")
      const keys: MasterKeys = [first, ...others]
      const ids = keys.map(({ id }) => id)
      const twice = ids.find((id, at) => ids.indexOf(id) !== at)
      return twice === undefined ? Result.succeed(keys) : refuse(`the id ${twice} must stand there once`)
    }
  )
