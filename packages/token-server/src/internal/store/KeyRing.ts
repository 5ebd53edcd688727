/**
 * The master keys: the first seals, all of them open. AES-256-GCM (NIST SP 800-38D) with a random nonce; the associated data
 * binds what is sealed to its table, row, column and key id.
 */
import * as Context from "effect/Context"
import * as Aead from "effect/crypto/Aead"
import * as Mac from "effect/crypto/Mac"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Hex from "effect/encoding/Hex"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { type StoreFailed, Unsealable } from "../Failure.ts"
import { Database } from "./Database.ts"
import { type MasterKey, type MasterKeys, MasterKeysRefused, parse } from "./MasterKey.ts"

/** What was sealed, and with which key. */
export interface Sealed {
  readonly keyId: string
  /** Base64 of nonce, ciphertext and tag. */
  readonly text: string
}

export class KeyRing extends Context.Service<KeyRing, {
  /** Seals for a place: names of table and column, and what identifies the row. */
  readonly seal: (text: Redacted.Redacted, place: ReadonlyArray<string>) => Effect.Effect<Sealed>
  readonly open: (sealed: Sealed, place: ReadonlyArray<string>) => Effect.Effect<Redacted.Redacted, Unsealable>
  /** A keyed hash, 32 hexadecimal digits, the same on every server of this database whichever master key is first. */
  readonly fingerprint: (secret: Redacted.Redacted) => Effect.Effect<string>
  readonly sealingKeyId: string
  readonly keyIds: ReadonlyArray<string>
}>()("@effect-identity/token-server/internal/store/KeyRing") {}

const nonceBytes = Aead.aes256Gcm.nonceLength

const utf8 = new TextEncoder()

/** Unambiguous wherever the names come from: JSON keeps the parts apart. */
const associated = (keyId: string, place: ReadonlyArray<string>) => utf8.encode(JSON.stringify([keyId, ...place]))

const sealing = Effect.fnUntraced(function*({ bytes, id }: MasterKey) {
  const aead = yield* Aead.Aead
  const random = yield* SecureRandom.SecureRandom
  const key = yield* Effect.orDie(Aead.key(Aead.aes256Gcm, Redacted.value(bytes)))
  const broken = new Unsealable({ detail: "ciphertext", keyId: id })

  const seal = Effect.fnUntraced(function*(text: Redacted.Redacted, place: ReadonlyArray<string>) {
    const nonce = yield* random.randomBytes(nonceBytes)
    const encrypted = yield* Effect.orDie(
      aead.encrypt(key, utf8.encode(Redacted.value(text)), { nonce, aad: associated(id, place) })
    )
    const whole = new Uint8Array(nonce.length + encrypted.length)
    whole.set(nonce)
    whole.set(encrypted, nonce.length)
    return { keyId: id, text: Base64.encode(whole) }
  })

  const open = Effect.fnUntraced(function*({ text }: Sealed, place: ReadonlyArray<string>) {
    const whole = yield* Effect.mapError(Effect.fromResult(Base64.decode(text)), () => broken)
    if (whole.length < nonceBytes) return yield* broken
    const decrypted = yield* Effect.mapError(
      aead.decrypt(key, whole.slice(nonceBytes), { nonce: whole.slice(0, nonceBytes), aad: associated(id, place) }),
      () => broken
    )
    return Redacted.make(new TextDecoder().decode(decrypted))
  })

  return { id, seal, open }
})

/** The key of fingerprints is made once and kept in the database, sealed: it outlives every master key. */
export const fingerprintPlace = ["server_keys", "sealed", "fingerprints"]

const checkPlace = (id: string) => ["master_keys", "check_value", id]

const make = Effect.fnUntraced(function*(keys: MasterKeys) {
  const { clock, sql, transaction } = yield* Database
  const mac = yield* Mac.Mac
  const random = yield* SecureRandom.SecureRandom
  const all = yield* Effect.forEach(keys, sealing)
  const sealers = new Map(all.map((sealer) => [sealer.id, sealer]))
  const first = yield* sealing(keys[0])

  const open = (sealed: Sealed, place: ReadonlyArray<string>) =>
    sealers.get(sealed.keyId)?.open(sealed, place) ??
      Effect.fail(new Unsealable({ detail: "key", keyId: sealed.keyId }))

  /** A key that is new leaves a value by which it is known again. */
  const check = Effect.fnUntraced(function*(sealer: Effect.Success<ReturnType<typeof sealing>>) {
    const { text } = yield* sealer.seal(Redacted.make(sealer.id), checkPlace(sealer.id))
    yield* sql`INSERT INTO master_keys (id, check_value, created_at) VALUES (${sealer.id}, ${text}, ${clock})
      ON CONFLICT (id) DO NOTHING`
    const rows = yield* sql<{ check_value: string }>`SELECT check_value FROM master_keys WHERE id = ${sealer.id}`
    yield* Effect.forEach(
      rows,
      (row) => sealer.open({ keyId: sealer.id, text: row.check_value }, checkPlace(sealer.id)),
      { discard: true }
    ).pipe(
      Effect.catchTag("Unsealable", () =>
        Effect.fail(
          new MasterKeysRefused({ rule: `the key ${sealer.id} is not the one that this database knows by this id` })
        ))
    )
  })

  const fingerprintKey = Effect.gen(function*() {
    const made = yield* first.seal(Redacted.make(Base64.encode(yield* random.randomBytes(32))), fingerprintPlace)
    yield* sql`INSERT INTO server_keys (name, key_id, sealed) VALUES ('fingerprints', ${made.keyId}, ${made.text})
      ON CONFLICT (name) DO NOTHING`
    return yield* sql<{ key_id: string; sealed: string }>`SELECT key_id, sealed FROM server_keys
      WHERE name = 'fingerprints'`
  })

  const missing = Effect.gen(function*() {
    const rows = yield* sql<{ key_id: string; count: number }>`SELECT key_id, count(*) AS count FROM (
        SELECT key_id FROM secrets UNION ALL
        SELECT key_id FROM tokens WHERE key_id IS NOT NULL UNION ALL
        SELECT key_id FROM server_keys
      ) AS everything GROUP BY key_id ORDER BY key_id`
    const gone = rows.filter(({ key_id }) => !sealers.has(key_id))
    if (gone.length === 0) return
    const counts = gone.map(({ count, key_id }) => `${key_id} (${count} ${count === 1 ? "row" : "rows"})`)
    return yield* new MasterKeysRefused({
      rule: `what seals something must stay in the ring until it is sealed anew: ${counts.join(", ")}`
    })
  })

  yield* transaction(Effect.forEach(all, check, { discard: true }))
  const [stored] = yield* transaction(Effect.tap(fingerprintKey, missing))
  const bytes = yield* Effect.fromNullishOr(stored).pipe(
    Effect.flatMap((row) => open({ keyId: row.key_id, text: row.sealed }, fingerprintPlace)),
    Effect.flatMap((text) => Effect.fromResult(Base64.decode(Redacted.value(text)))),
    Effect.mapError(() => new MasterKeysRefused({ rule: "the key of the fingerprints in this database was changed" }))
  )
  const hashing = yield* Effect.orDie(Mac.key(Mac.hmacSha256, bytes))

  return KeyRing.of({
    seal: first.seal,
    open,
    fingerprint: (secret) =>
      mac.sign(hashing, utf8.encode(Redacted.value(secret))).pipe(
        Effect.orDie,
        Effect.map((tag) => Hex.encode(tag.slice(0, 16)))
      ),
    sealingKeyId: first.id,
    keyIds: keys.map(({ id }) => id)
  })
})

const layerCrypto = Layer.mergeAll(Aead.layerWebCrypto, Mac.layerWebCrypto).pipe(
  Layer.provideMerge(SecureRandom.layerWebCrypto)
)

/** Refuses keys that are malformed, that are not the ones this database knows, and too few of them. */
export const layer = (text: Redacted.Redacted): Layer.Layer<KeyRing, MasterKeysRefused | StoreFailed, Database> =>
  Layer.effect(KeyRing, Effect.flatMap(Effect.fromResult(parse(text)), make)).pipe(Layer.provide(layerCrypto))
