/**
 * The stores over a database of a test.
 */
import * as KeyRing from "@effect-identity/token-server/internal/store/KeyRing"
import * as SecretStore from "@effect-identity/token-server/internal/store/SecretStore"
import { Effect, Layer, Redacted } from "effect"
import { createHash } from "node:crypto"

/** An entry of a ring: the same text gives the same key. */
export const masterKey = (id: string, from = id): string =>
  `${id}:${createHash("sha256").update(from).digest("base64")}`

export const ringOf = (...entries: ReadonlyArray<string>) => KeyRing.layer(Redacted.make(entries.join(",")))

export const ring = ringOf(masterKey("k1"))

export const secrets = (keys = ring) => SecretStore.layer.pipe(Layer.provideMerge(keys))

export const save = Effect.fnUntraced(function*(realm: string, key: string, values: Record<string, string>) {
  const store = yield* SecretStore.SecretStore
  return yield* store.save({
    realm,
    key,
    generation: undefined,
    values: new Map(Object.entries(values).map(([name, value]) => [name, Redacted.make(value)]))
  })
})

/** What a secret opens to. */
export const opened = Effect.fnUntraced(function*(realm: string, key: string) {
  const store = yield* SecretStore.SecretStore
  const { values } = yield* store.open(realm, key)
  return Object.fromEntries(Array.from(values, ([name, value]) => [name, Redacted.value(value)]))
})

/** Texts that mean something to SQL. None of them holds another one. */
export const hostile: ReadonlyArray<string> = [
  "' OR '1'='1",
  "x'); DROP TABLE realms; --",
  "a\"b\"; SELECT",
  "100%",
  "under_score",
  "back\\slash",
  "[a-z]*?",
  "$1 ? :name @p",
  "/* comment */",
  "E'\\x41' || pg_sleep(9)",
  "{\"json\": [null]}",
  "`tick`",
  "\t\n newline",
  "𝕦𝕟𝕚 🗝 ＇"
]
