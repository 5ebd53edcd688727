/**
 * What the settings describe: the database, the keys, the stores, and what gets tokens.
 */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import { join } from "node:path"
import type { Settings } from "../../Settings.ts"
import * as ApiKeyStore from "../store/ApiKeyStore.ts"
import * as AuditStore from "../store/AuditStore.ts"
import * as BudgetStore from "../store/BudgetStore.ts"
import * as Database from "../store/Database.ts"
import * as KeyRing from "../store/KeyRing.ts"
import * as RealmStore from "../store/RealmStore.ts"
import * as SecretStore from "../store/SecretStore.ts"
import * as TokenStore from "../store/TokenStore.ts"
import * as TokenEngine from "../tokens/TokenEngine.ts"
import * as Egress from "../upstream/Egress.ts"
import * as Requests from "../upstream/Requests.ts"
import * as MasterKeys from "./MasterKeys.ts"
import { StartError } from "./StartError.ts"
import * as UpstreamMetrics from "./UpstreamMetrics.ts"

type Stated = Pick<Settings, "masterKeys" | "storage">

const refused = ({ message }: { readonly message: string }) => new StartError({ rule: message })

const masterKeys = ({ masterKeys, storage }: Stated): Effect.Effect<Redacted.Redacted, StartError> => {
  if (masterKeys !== undefined) return Effect.succeed(masterKeys)
  return storage._tag === "SQLite"
    ? MasterKeys.ofFolder(storage.folder).pipe(Effect.mapError(refused), Effect.provide(SecureRandom.layerWebCrypto))
    : Effect.fail(new StartError({ rule: "PostgreSQL needs master keys" }))
}

const database = ({ storage }: Stated) =>
  storage._tag === "SQLite"
    ? Database.layerSqlite(join(storage.folder, MasterKeys.databaseFile))
    : Database.layerPostgres(storage.url)

const ring = (keys: Redacted.Redacted) =>
  KeyRing.layer(keys).pipe(
    Layer.catchTag("MasterKeysRefused", (error) => Layer.effect(KeyRing.KeyRing, Effect.fail(refused(error))))
  )

/** The stores; what the administrator's commands work with, too. Fails with `StartError` where waiting is in vain. */
export const stores = (stated: Stated) =>
  Layer.unwrap(Effect.map(masterKeys(stated), (keys) =>
    Layer.mergeAll(
      ApiKeyStore.layer,
      AuditStore.layer,
      BudgetStore.layer,
      RealmStore.layer,
      SecretStore.layer,
      TokenStore.layer
    ).pipe(
      Layer.provideMerge(ring(keys)),
      Layer.provideMerge(database(stated))
    )))

/** All of a server but its listening. */
export const layer = (stated: Stated) =>
  TokenEngine.layer.pipe(
    Layer.provide(UpstreamMetrics.layer),
    Layer.provide(Requests.layer),
    Layer.provide([Egress.layer(), SecureRandom.layerWebCrypto]),
    Layer.provideMerge(stores(stated))
  )
