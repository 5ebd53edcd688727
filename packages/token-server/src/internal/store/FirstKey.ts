/**
 * The first key of an administrator, made where there has never been any key.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { StoreFailed } from "../Failure.ts"
import * as Digest from "../http/Digest.ts"
import { AuditStore } from "./AuditStore.ts"
import { Database } from "./Database.ts"

/** Its id, too: of servers that start at once, the database lets one make it. */
const name = "first"

const everywhere = JSON.stringify("*")

/** The text of the key, or undefined where there are keys, or were some. */
export const make: Effect.Effect<Redacted.Redacted | undefined, StoreFailed, AuditStore | Database> = Effect.gen(
  function*() {
    const { clock, run, sql } = yield* Database
    const text = yield* Digest.generate
    const digest = Digest.ofUnsafe(Redacted.value(text))
    const made = yield* run(Effect.map(
      sql<{ id: string }>`INSERT INTO api_keys (id, name, role, realms, digest, created_at)
        SELECT ${name}, ${name}, 'admin', ${everywhere}, ${digest}, ${clock}
        WHERE NOT EXISTS (SELECT 1 FROM api_keys)
        ON CONFLICT (id) DO NOTHING
        RETURNING id`,
      ({ length }) => length
    ))
    if (made === 0) return undefined
    const audit = yield* AuditStore
    yield* audit.append([
      { actor: "system", action: "apiKey.create", realm: undefined, subject: undefined, outcome: "ok", count: 1 }
    ])
    return text
  }
)
