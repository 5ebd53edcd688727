/**
 * `token-server keys`: API keys, made and revoked in the database, whether a server runs or not.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { KeyName, RealmId } from "../api/Fields.ts"
import { createKey } from "../http/AdministrationRoutes.ts"
import { type ApiKey, ApiKeyStore } from "../store/ApiKeyStore.ts"
import { type AuditEntry, AuditStore } from "../store/AuditStore.ts"
import { KeyRing } from "../store/KeyRing.ts"
import { withStores } from "./Stores.ts"

const audited = Effect.fnUntraced(function*<A, E, R>(action: string, name: string, change: Effect.Effect<A, E, R>) {
  const audit = yield* AuditStore
  const ring = yield* KeyRing
  const entry: AuditEntry = {
    actor: "system",
    action,
    realm: undefined,
    subject: yield* ring.fingerprint(Redacted.make(name)),
    outcome: "ok",
    count: 1
  }
  return yield* audit.recorded(entry, change)
})

const create = Command.make(
  "create",
  {
    role: Flag.Literals("role", ["reader", "operator", "admin"]).pipe(Flag.withDescription("What it may do")),
    name: Flag.String("name").pipe(Flag.withDescription("What it is called in lists"), Flag.withSchema(KeyName)),
    realms: Flag.String("realm").pipe(
      Flag.withDescription("A realm it may touch, once for each; all of them without"),
      Flag.withSchema(RealmId),
      Flag.atLeast(0)
    )
  },
  ({ name, realms, role }) =>
    createKey({ name, role, realms: realms.length === 0 ? "*" : realms, expiresAt: undefined }).pipe(
      (change) => audited("apiKey.create", name, change),
      Effect.flatMap(({ text }) => Console.log(Redacted.value(text))),
      withStores
    )
).pipe(Command.withDescription("Make a key, and print it: it is shown nowhere else"))

const day = (moment: number) => DateTime.formatIso(DateTime.makeUnsafe(moment))

const stateOf = ({ expiresAt, revokedAt }: ApiKey): string => {
  if (revokedAt !== undefined) return `revoked ${day(revokedAt)}`
  return expiresAt === undefined ? "in use" : `until ${day(expiresAt)}`
}

const line = (key: ApiKey): string =>
  [key.id, key.role, key.realms === "*" ? "*" : key.realms.join(","), stateOf(key), key.name].join("\t")

const pageSize = 100

const list = Command.make("list", {}, () =>
  Effect.gen(function*() {
    const store = yield* ApiKeyStore
    for (let page = 1;; page++) {
      const found = yield* store.list({ page, pageSize })
      yield* Effect.forEach(found.list, (key) => Console.log(line(key)), { discard: true })
      if (page * pageSize >= found.total) return
    }
  }).pipe(withStores)).pipe(Command.withDescription("List keys: id, role, realms, state and name"))

const revoke = Command.make("revoke", {
  id: Argument.String("id").pipe(Argument.withDescription("As keys list prints it"))
}, ({ id }) =>
  ApiKeyStore.use((store) => store.revoke(id)).pipe(
    (change) => audited("apiKey.revoke", id, change),
    withStores
  )).pipe(Command.withDescription("Revoke a key; servers that run follow within five seconds"))

export const keys = Command.make("keys").pipe(
  Command.withDescription("API keys"),
  Command.withSubcommands([create, list, revoke])
)
