/**
 * Where a server keeps things, as its environment: in a folder, or in a PostgreSQL of its own.
 */
import { Effect, type Scope } from "effect"
import { randomBytes } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Postgres from "../Postgres.ts"

export type Environment = Readonly<Record<string, string>>

/** A folder that goes with the scope. */
export const folder: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "token-server-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

export const masterKeys = (): Environment => ({
  TOKEN_SERVER_MASTER_KEYS: `k1:${randomBytes(32).toString("base64")}`
})

export const sqlite: Effect.Effect<Environment, never, Scope.Scope> = Effect.map(folder, (path) => ({
  TOKEN_SERVER_DATA: path
}))

/** A PostgreSQL that goes with the scope, and how to reach it. */
export const postgres = Effect.fnUntraced(function*(settings: Readonly<Record<string, string>> = {}) {
  const server = yield* Effect.acquireRelease(
    Effect.promise(() => Postgres.start(settings)),
    (started) => Effect.promise(() => started.stop())
  )
  const env: Environment = { TOKEN_SERVER_DATABASE_URL: server.create("tokens"), ...masterKeys() }
  return { server, env }
})
