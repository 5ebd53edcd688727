/**
 * Where master keys come from: a variable, a file, or the file that is made for a SQLite database of one's own.
 */
import type { Setting } from "@effect-identity/oauth/Setting"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Hex from "effect/encoding/Hex"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { access, mkdir, open, rename } from "node:fs/promises"
import { join } from "node:path"
import * as MasterKey from "../store/MasterKey.ts"

/** Why a folder gives no master keys. */
export class MasterKeysUnavailable extends Data.TaggedError("MasterKeysUnavailable")<{
  readonly detail: "lost" | "unreadable" | "malformed" | "unwritable"
}> {
  override get message(): string {
    return {
      lost: `the data folder holds a database, but not its ${keysFile}: put it back`,
      unreadable: `the ${keysFile} of the data folder cannot be read`,
      malformed: `the ${keysFile} of the data folder holds no master keys`,
      unwritable: "the data folder cannot be written"
    }[this.detail]
  }
}

export const keysFile = "master-keys"

export const databaseFile = "token-server.sqlite"

const bytesOfKey = 32

export const check = (name: string, text: Redacted.Redacted): Setting<Redacted.Redacted> =>
  Result.mapBoth(MasterKey.parse(text), { onFailure: ({ rule }) => ({ name, rule }), onSuccess: () => text })

/** Nobody has so many keys. */
const maximumBytes = 64 * 1024

/** The text of a file with keys; undefined where that is not a file that can be read. */
export const read = (path: string): Effect.Effect<Redacted.Redacted | undefined> =>
  Effect.promise(async () => {
    try {
      await using file = await open(path, "r")
      const found = await file.stat()
      if (!found.isFile() || found.size > maximumBytes) return undefined
      return Redacted.make(await file.readFile("utf8"), { label: "master keys" })
    } catch {
      return undefined
    }
  })

const exists = (path: string): Effect.Effect<boolean> =>
  Effect.promise(() => access(path).then(() => true, () => false))

/** A new key under an id that no key had: ids are never used again. */
export const generate = Effect.gen(function*() {
  const random = yield* SecureRandom.SecureRandom
  const id = Hex.encode(yield* random.randomBytes(4))
  const key = yield* random.randomBytes(bytesOfKey)
  return Redacted.make(`k${id}:${Base64.encode(key)}\n`, { label: "master key" })
})

/** Only the first of several that start at once writes it; the others read that. */
const write = (path: string, keys: Redacted.Redacted) =>
  Effect.tryPromise({
    try: async () => {
      await using file = await open(path, "wx", 0o600)
      await file.writeFile(Redacted.value(keys))
      await file.sync()
    },
    catch: (cause) => Predicate.hasProperty(cause, "code") && cause.code === "EEXIST" ? "exists" : "unwritable"
  })

/**
 * The keys in the file of a folder, which is made with a new key where there is neither that file nor a database. Nothing
 * could read a database whose keys are lost, so none are made up for it.
 */
export const ofFolder = Effect.fnUntraced(
  function*(folder: string): Effect.fn.Return<Redacted.Redacted, MasterKeysUnavailable, SecureRandom.SecureRandom> {
    const path = join(folder, keysFile)
    const unwritable = new MasterKeysUnavailable({ detail: "unwritable" })
    yield* Effect.tryPromise({ try: () => mkdir(folder, { recursive: true, mode: 0o700 }), catch: () => unwritable })
    if (!(yield* exists(path))) {
      if (yield* exists(join(folder, databaseFile))) return yield* new MasterKeysUnavailable({ detail: "lost" })
      yield* write(path, yield* generate).pipe(
        Effect.catchIf((reason) => reason === "exists", () => Effect.void),
        Effect.mapError(() => unwritable)
      )
    }
    const found = yield* read(path)
    if (found === undefined) return yield* new MasterKeysUnavailable({ detail: "unreadable" })
    return Result.isSuccess(MasterKey.parse(found)) ? found : yield* new MasterKeysUnavailable({ detail: "malformed" })
  }
)

/** Puts a new key before those in the file of a folder: whoever reads the file sees the old or the new one, whole. */
export const rotate = Effect.fnUntraced(
  function*(folder: string): Effect.fn.Return<void, MasterKeysUnavailable, SecureRandom.SecureRandom> {
    const keys = yield* ofFolder(folder)
    const made = yield* generate
    const path = join(folder, keysFile)
    yield* Effect.tryPromise({
      try: async () => {
        const next = `${path}.next`
        await using file = await open(next, "w", 0o600)
        await file.writeFile(Redacted.value(made) + Redacted.value(keys))
        await file.sync()
        await rename(next, path)
      },
      catch: () => new MasterKeysUnavailable({ detail: "unwritable" })
    })
  }
)
