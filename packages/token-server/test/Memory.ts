/**
 * Stores and tokens in memory.
 */
import { Conflict, NotFound } from "@effect-identity/token-server/internal/Failure"
import { type ApiKey, ApiKeyStore } from "@effect-identity/token-server/internal/store/ApiKeyStore"
import { type AuditRow, AuditStore } from "@effect-identity/token-server/internal/store/AuditStore"
import { KeyRing } from "@effect-identity/token-server/internal/store/KeyRing"
import { type RealmRow, RealmStore } from "@effect-identity/token-server/internal/store/RealmStore"
import { type SecretRow, SecretStore } from "@effect-identity/token-server/internal/store/SecretStore"
import { Tokens } from "@effect-identity/token-server/internal/tokens/Tokens"
import { Effect, Layer, Redacted } from "effect"
import { createHash } from "node:crypto"

const page = <A>(all: ReadonlyArray<A>, paging: { readonly page: number; readonly pageSize: number }) => ({
  list: all.slice((paging.page - 1) * paging.pageSize, paging.page * paging.pageSize),
  total: all.length
})

const apiKeys = Layer.sync(ApiKeyStore, () => {
  const keys = new Map<string, ApiKey>()
  return ApiKeyStore.of({
    create: ({ digest, ...key }) =>
      Effect.sync(() => {
        const made = { ...key, createdAt: 0, revokedAt: undefined }
        keys.set(digest, made)
        return made
      }),
    find: (digest) =>
      Effect.suspend(() => {
        const key = keys.get(digest)
        return key === undefined ? Effect.fail(new NotFound({ what: "apiKey" })) : Effect.succeed(key)
      }),
    list: (paging) => Effect.sync(() => page([...keys.values()], paging)),
    revoke: (id) =>
      Effect.suspend(() => {
        const [digest, key] = [...keys].find(([, each]) => each.id === id) ?? []
        if (digest === undefined || key === undefined) return Effect.fail(new NotFound({ what: "apiKey" }))
        const revoked = { ...key, revokedAt: 1 }
        keys.set(digest, revoked)
        return Effect.succeed(revoked)
      }),
    usable: Effect.sync(() => keys.size)
  })
})

const audit = Layer.sync(AuditStore, () => {
  const rows: Array<AuditRow> = []
  const append: AuditStore["Service"]["append"] = (entries) =>
    Effect.sync(() => entries.forEach((entry) => rows.unshift({ ...entry, id: rows.length + 1, at: 0 })))
  return AuditStore.of({
    append,
    recorded: (entry, change) => Effect.tap(change, append([entry])),
    list: (filter) => Effect.sync(() => page(rows.filter(({ action }) => action === (filter.action ?? action)), filter))
  })
})

const ring = Layer.succeed(
  KeyRing,
  KeyRing.of({
    seal: () => Effect.die("not here"),
    open: () => Effect.die("not here"),
    fingerprint: (secret) =>
      Effect.sync(() => createHash("sha256").update(Redacted.value(secret)).digest("hex").slice(0, 32)),
    sealingKeyId: "one",
    keyIds: ["one"]
  })
)

const realms = Layer.sync(RealmStore, () => {
  const rows = new Map<string, RealmRow>()
  const row = (id: string) =>
    Effect.suspend(() => {
      const found = rows.get(id)
      return found === undefined ? Effect.fail(new NotFound({ what: "realm" })) : Effect.succeed(found)
    })
  return RealmStore.of({
    find: () => Effect.die("not here"),
    row,
    list: (paging) => Effect.sync(() => page([...rows.values()], paging)),
    save: ({ comment, config, id, version }) =>
      Effect.suspend(() => {
        const before = rows.get(id)?.version ?? 0
        if (version !== undefined && version !== before) {
          return Effect.fail(new Conflict({ rule: "somebody else changed it" }))
        }
        const saved = { id, comment, config, version: before + 1, createdAt: 0, updatedAt: 0 }
        rows.set(id, saved)
        return Effect.succeed(saved)
      }),
    remove: (id) => Effect.andThen(row(id), Effect.sync(() => void rows.delete(id)))
  })
})

const secrets = Layer.sync(SecretStore, () => {
  const rows = new Map<string, SecretRow>()
  const row = (realm: string, key: string) =>
    Effect.suspend(() => {
      const found = rows.get(`${realm} ${key}`)
      return found === undefined ? Effect.fail(new NotFound({ what: "secret" })) : Effect.succeed(found)
    })
  return SecretStore.of({
    open: () => Effect.die("not here"),
    row,
    list: (paging) => Effect.sync(() => page([...rows.values()], paging)),
    save: ({ key, realm, values }) =>
      Effect.sync(() => {
        const saved = {
          realm,
          key,
          generation: (rows.get(`${realm} ${key}`)?.generation ?? 0) + 1,
          fingerprints: Object.fromEntries([...values.keys()].map((name) => [name, "0".repeat(32)])),
          keyId: "one",
          createdAt: 0,
          rotatedAt: 0
        }
        rows.set(`${realm} ${key}`, saved)
        return saved
      }),
    remove: (realm, key) => Effect.andThen(row(realm, key), Effect.sync(() => void rows.delete(`${realm} ${key}`))),
    reseal: () => Effect.succeed(0)
  })
})

const tokens = Layer.effect(
  Tokens,
  Effect.map(SecretStore, (store) => {
    const known = new Set<string>()
    const token = (key: string) => ({ value: Redacted.make(`token-of-${key}`), expiresIn: 3_600_000, persisted: true })
    return Tokens.of({
      get: ({ key, realm }) =>
        Effect.map(store.row(realm, key), () => {
          const source = known.has(`${realm} ${key}`) ? "memory" : "upstream"
          known.add(`${realm} ${key}`)
          return { ...token(key), source }
        }),
      flush: ({ key, realm }) => Effect.map(store.row(realm, key), () => ({ ...token(key), source: "upstream" })),
      report: () => Effect.succeed("not-current"),
      peekUnsafe: (realm, key) => known.has(`${realm} ${key}`) ? { ...token(key), source: "memory" } : undefined,
      forget: (realm, key) => Effect.sync(() => void known.delete(`${realm} ${key}`))
    })
  })
).pipe(Layer.provideMerge(secrets))

export const layer = Layer.mergeAll(apiKeys, audit, ring, realms, tokens)
