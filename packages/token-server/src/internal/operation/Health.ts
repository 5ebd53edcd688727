/**
 * What the server tells of itself: whether it runs, whether it can work, and what it counts.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as Layer from "effect/Layer"
import type { StoreFailed } from "../Failure.ts"
import type { Route } from "../http/RouteTable.ts"
import { Drain } from "./Drain.ts"

export type Reason = "draining" | "starting" | `database_${StoreFailed["detail"]}`

/** Why the server could not do its work at this moment, as far as its database goes. */
export class Readiness extends Context.Service<Readiness, Effect.Effect<ReadonlyArray<Reason>>>()(
  "@effect-identity/token-server/internal/operation/Health/Readiness"
) {}

export const routes: ReadonlyArray<Route> = [{ method: "GET", path: "/healthz" }, { method: "GET", path: "/readyz" }]

const noStore = { headers: { "cache-control": "no-store" } }

const healthz = HttpServerResponse.jsonUnsafe({ status: "ok" }, noStore)

/** `GET /healthz` asks nothing and nobody; `GET /readyz` asks the database. Neither needs a key. */
export const layer: Layer.Layer<never, never, HttpRouter.HttpRouter | Drain | Readiness> = HttpRouter.use(
  Effect.fnUntraced(function*(router) {
    const drain = yield* Drain
    const readiness = yield* Readiness
    yield* router.add("GET", "/healthz", healthz)
    yield* router.add(
      "GET",
      "/readyz",
      Effect.map(Effect.all([drain.hasBegun, readiness]), ([hasBegun, reasons]) => {
        const all: ReadonlyArray<Reason> = hasBegun ? ["draining", ...reasons] : reasons
        return all.length === 0
          ? HttpServerResponse.jsonUnsafe({ status: "ready" }, noStore)
          : HttpServerResponse.jsonUnsafe({ status: "not ready", reasons: all }, { ...noStore, status: 503 })
      })
    )
  })
)
