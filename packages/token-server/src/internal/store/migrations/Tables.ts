/**
 * The first tables. Times are milliseconds since 1970.
 */
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"

export const tables = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const growing = sql.onDialectOrElse({
    pg: () => sql.literal("BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"),
    orElse: () => sql.literal("INTEGER PRIMARY KEY AUTOINCREMENT")
  })

  yield* sql`CREATE TABLE master_keys (
    id TEXT PRIMARY KEY,
    check_value TEXT NOT NULL,
    created_at BIGINT NOT NULL
  )`

  yield* sql`CREATE TABLE server_keys (
    name TEXT PRIMARY KEY,
    key_id TEXT NOT NULL,
    sealed TEXT NOT NULL
  )`

  yield* sql`CREATE TABLE realms (
    id TEXT PRIMARY KEY,
    comment TEXT NOT NULL,
    config TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
  )`

  yield* sql`CREATE TABLE secrets (
    realm TEXT NOT NULL REFERENCES realms (id),
    "key" TEXT NOT NULL,
    generation BIGINT NOT NULL,
    key_id TEXT NOT NULL,
    sealed TEXT NOT NULL,
    fingerprints TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    rotated_at BIGINT NOT NULL,
    PRIMARY KEY (realm, "key")
  )`
  yield* sql`CREATE INDEX secrets_key_id ON secrets (key_id)`

  yield* sql`CREATE TABLE tokens (
    realm TEXT NOT NULL,
    "key" TEXT NOT NULL,
    secret_generation BIGINT,
    key_id TEXT,
    sealed TEXT,
    requested_at BIGINT,
    expires_at BIGINT,
    lease_tag TEXT,
    lease_until BIGINT,
    claim BIGINT NOT NULL DEFAULT 0,
    stored_claim BIGINT NOT NULL DEFAULT 0,
    stored_sent BIGINT,
    sent_at BIGINT,
    suspect SMALLINT NOT NULL DEFAULT 0,
    doubt_since BIGINT,
    failure TEXT,
    failure_generation BIGINT,
    failure_until BIGINT,
    PRIMARY KEY (realm, "key"),
    FOREIGN KEY (realm, "key") REFERENCES secrets (realm, "key") ON DELETE CASCADE
  )`
  yield* sql`CREATE INDEX tokens_key_id ON tokens (key_id)`

  yield* sql`CREATE TABLE budgets (
    realm TEXT NOT NULL,
    "key" TEXT NOT NULL,
    window_start BIGINT NOT NULL,
    used BIGINT NOT NULL,
    PRIMARY KEY (realm, "key"),
    FOREIGN KEY (realm, "key") REFERENCES secrets (realm, "key") ON DELETE CASCADE
  )`

  yield* sql`CREATE TABLE api_keys (
    position ${growing},
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    realms TEXT NOT NULL,
    digest TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT
  )`

  yield* sql`CREATE TABLE audit (
    id ${growing},
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    realm TEXT,
    subject TEXT,
    outcome TEXT NOT NULL,
    count BIGINT NOT NULL
  )`
  yield* sql`CREATE INDEX audit_at ON audit (at)`
})
