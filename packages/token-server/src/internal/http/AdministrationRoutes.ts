/**
 * Makes and revokes API keys, and shows the audit trail.
 */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as Redacted from "effect/Redacted"
import { Api } from "../../Api.ts"
import { Invalid, type StoreFailed } from "../Failure.ts"
import { type ApiKey, ApiKeyStore } from "../store/ApiKeyStore.ts"
import { type AuditRow, AuditStore } from "../store/AuditStore.ts"
import { Callers } from "./Callers.ts"
import { Changes } from "./Changes.ts"
import * as Digest from "./Digest.ts"
import { envelope, moment, momentOrNull, paging } from "./Listing.ts"
import { failing } from "./Problems.ts"

const show = ({ createdAt, expiresAt, id, name, realms, revokedAt, role }: ApiKey) => ({
  id,
  name,
  role,
  realms,
  created_at: moment(createdAt),
  expires_at: momentOrNull(expiresAt),
  revoked_at: momentOrNull(revokedAt)
})

/** Makes a key and its text, which is in nothing but this answer. */
export const createKey = Effect.fnUntraced(function*(
  given: Pick<ApiKey, "expiresAt" | "name" | "realms" | "role">
): Effect.fn.Return<{ readonly key: ApiKey; readonly text: Redacted.Redacted }, StoreFailed, ApiKeyStore> {
  const store = yield* ApiKeyStore
  const text = yield* Digest.generate
  const digest = Digest.ofUnsafe(Redacted.value(text))
  if (digest === undefined) return yield* Effect.die(new RangeError("a generated key has no digest"))
  return { key: yield* store.create({ ...given, id: yield* Digest.randomId, digest }), text }
})

export const layerApiKeys = HttpApiBuilder.group(Api, "apiKeys", (handlers) =>
  Effect.gen(function*() {
    const store = yield* ApiKeyStore
    const changes = yield* Changes
    const callers = yield* Callers

    const create = Effect.fnUntraced(function*(given: Parameters<typeof createKey>[0]) {
      if (given.expiresAt !== undefined && given.expiresAt <= (yield* Clock.currentTimeMillis)) {
        return yield* new Invalid({ issues: [{ name: "expires_at", rule: "must be in the future" }] })
      }
      const { key, text } = yield* changes.record(
        { action: "apiKey.create", realm: undefined, subject: given.name },
        Effect.provideService(createKey(given), ApiKeyStore, store)
      )
      return { ...show(key), key: text }
    })

    return handlers
      .handle("list", ({ query }) => Effect.map(failing(store.list(paging(query))), (page) => envelope(page, show)))
      .handle("create", ({ payload: { expires_at, name, realms, role } }) =>
        failing(create({
          name,
          role,
          realms,
          expiresAt: expires_at === undefined ? undefined : DateTime.toEpochMillis(expires_at)
        })))
      .handle("revoke", ({ params: { id } }) =>
        changes.record({ action: "apiKey.revoke", realm: undefined, subject: id }, store.revoke(id)).pipe(
          Effect.andThen(callers.forget),
          failing
        ))
  }))

const showEntry = ({ action, actor, at, count, id, outcome, realm, subject }: AuditRow) => ({
  id,
  at: moment(at),
  actor,
  action,
  realm: realm ?? null,
  subject: subject ?? null,
  outcome,
  count
})

export const layerAudit = HttpApiBuilder.group(
  Api,
  "audit",
  (handlers) =>
    Effect.map(AuditStore, (store) =>
      handlers.handle("list", ({ query }) =>
        store.list({
          ...paging(query),
          actor: query.actor,
          action: query.action,
          realm: query.realm,
          since: query.since === undefined ? undefined : DateTime.toEpochMillis(query.since),
          until: query.until === undefined ? undefined : DateTime.toEpochMillis(query.until)
        }).pipe(Effect.map((page) => envelope(page, showEntry)), failing)))
)
