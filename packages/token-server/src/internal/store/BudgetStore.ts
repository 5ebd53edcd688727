/**
 * How often new tokens were asked for, in SQL, so that all servers count together.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { StoreFailed } from "../Failure.ts"
import { BudgetSpent } from "../Failure.ts"
import { Database } from "./Database.ts"
import type { Place } from "./TokenStore.ts"

export class BudgetStore extends Context.Service<BudgetStore, {
  /** Takes one of `limit`. The window opens with the first one that is taken, by the database's clock. */
  readonly take: (
    place: Place,
    budget: { readonly limit: number; readonly window: Duration.Duration }
  ) => Effect.Effect<void, BudgetSpent | StoreFailed>
}>()("@effect-identity/token-server/internal/store/BudgetStore") {}

const make = Effect.gen(function*() {
  const database = yield* Database
  const { sql } = database

  const take: BudgetStore["Service"]["take"] = Effect.fnUntraced(function*({ key, realm }, { limit, window }) {
    if (limit <= 0) return yield* new BudgetSpent({ retryAfter: window })
    const millis = Math.ceil(Duration.toMillis(window))
    const taken = yield* database.run(sql`
      INSERT INTO budgets (realm, "key", window_start, used) VALUES (${realm}, ${key}, ${database.clock}, 1)
      ON CONFLICT (realm, "key") DO UPDATE SET
        used = CASE WHEN budgets.window_start + ${millis} <= excluded.window_start THEN 1 ELSE budgets.used + 1 END,
        window_start = CASE WHEN budgets.window_start + ${millis} <= excluded.window_start
          THEN excluded.window_start ELSE budgets.window_start END
      WHERE budgets.window_start + ${millis} <= excluded.window_start OR budgets.used < ${limit}
      RETURNING used`)
    if (taken.length > 0) return
    const [row] = yield* database.run(sql<{ left: number }>`
      SELECT window_start + ${millis} - ${database.clock} AS "left" FROM budgets WHERE realm = ${realm} AND "key" = ${key}`)
    return yield* new BudgetSpent({ retryAfter: Duration.millis(Math.max(1, row?.left ?? millis)) })
  })

  return BudgetStore.of({ take })
})

export const layer: Layer.Layer<BudgetStore, never, Database> = Layer.effect(BudgetStore, make)
