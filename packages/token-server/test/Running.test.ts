import { StoreFailed } from "@effect-identity/token-server/internal/Failure"
import { createKey } from "@effect-identity/token-server/internal/http/AdministrationRoutes"
import * as Running from "@effect-identity/token-server/internal/operation/Running"
import { StartError } from "@effect-identity/token-server/internal/operation/StartError"
import { ApiKeyStore } from "@effect-identity/token-server/internal/store/ApiKeyStore"
import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Fiber, Layer, Metric, Redacted } from "effect"
import { PrometheusMetrics } from "effect/observability"
import { createServer } from "node:http"
import * as Database from "./Database.ts"
import * as Memory from "./Memory.ts"
import { send } from "./Server.ts"

const anywhere = { host: "127.0.0.1", port: 0 }

/** A database and everything above it, the latter in memory. */
const services = Effect.gen(function*() {
  const place = yield* Database.Place
  const context = yield* Layer.build(Memory.layer)
  return { context, layer: Layer.merge(place.open, Layer.succeedContext(context)) }
})

const codeOf = (error: unknown, depth = 0): string => {
  if (depth > 5 || typeof error !== "object" || error === null) return "?"
  if ("code" in error && typeof error.code === "string" && error.code.startsWith("E")) return error.code
  return codeOf("cause" in error ? error.cause : undefined, depth + 1)
}

/** One request; fails with the code of what the connection failed with. */
const asking = (origin: string, answers: Array<number>) =>
  Effect.tryPromise({
    try: async (signal) => {
      const response = await fetch(`${origin}/readyz`, { signal })
      await response.text()
      answers.push(response.status)
    },
    catch: (error) => codeOf(error)
  })

const portOf = (origin: string): number => Number(new URL(origin).port)

const get = (origin: string, path: string, key?: string) =>
  Effect.map(send(portOf(origin), { path, key }), ({ json, status, text }) => ({ status, json, text }))

const ready = { status: 200, json: { status: "ready" } }

describe("a server", () => {
  it.live("says that it runs and that it can work, and to whom it counts only to holders of keys for all realms", () =>
    Effect.gen(function*() {
      const { context, layer } = yield* services
      const { origin } = yield* Running.make(anywhere, layer)
      assert.include(yield* get(origin, "/healthz"), { status: 200, text: "{\"status\":\"ok\"}" })
      assert.deepInclude(yield* get(origin, "/readyz"), ready)
      const key = (realms: "*" | ReadonlyArray<string>) =>
        createKey({ name: "scrape", role: "reader", realms, expiresAt: undefined }).pipe(
          Effect.map(({ text }) => Redacted.value(text)),
          Effect.provideService(ApiKeyStore, Context.get(context, ApiKeyStore))
        )
      assert.strictEqual((yield* get(origin, "/metrics")).status, 401)
      assert.strictEqual((yield* get(origin, "/metrics", "tsk_wrong")).status, 401)
      assert.strictEqual((yield* get(origin, "/metrics", yield* key(["one"]))).status, 403)
      const { status, text } = yield* get(origin, "/metrics", yield* key("*"))
      assert.strictEqual(status, 200)
      assert.match(
        text,
        /http_server_request_duration_count\{.*http_request_method="GET",.*http_route="\/metrics",.*"401"\} 2/
      )
    }).pipe(Effect.provide(Database.layer)))

  it.live("starts without its database, says so, and works unaided once that is there", () =>
    Effect.gen(function*() {
      const { layer } = yield* services
      const isThere = yield* Deferred.make<void>()
      let attempts = 0
      const late = Layer.unwrap(Effect.gen(function*() {
        attempts++
        return (yield* Deferred.isDone(isThere)) ? layer : yield* new StoreFailed({ detail: "unavailable" })
      }))
      const server = yield* Running.make(anywhere, late)
      assert.strictEqual((yield* get(server.origin, "/healthz")).status, 200)
      assert.deepInclude(yield* get(server.origin, "/readyz"), {
        status: 503,
        json: { status: "not ready", reasons: ["database_unavailable"] }
      })
      assert.deepNestedInclude(yield* get(server.origin, "/api/token?realm=r&key=k"), {
        "status": 503,
        "json.code": "store_unavailable"
      })
      yield* Deferred.succeed(isThere, undefined)
      const { firstKey } = yield* server.ready
      assert.match(Redacted.value(firstKey ?? Redacted.make("")), /^tsk_/)
      assert.isAbove(attempts, 1)
      assert.deepInclude(yield* get(server.origin, "/readyz"), ready)
      assert.strictEqual((yield* get(server.origin, "/api/token?realm=r&key=k")).status, 401)
    }).pipe(Effect.provide(Database.layer)))

  it.live("gives the first key once in the life of a database, whoever starts first", () =>
    Effect.gen(function*() {
      const { layer } = yield* services
      const starts = yield* Effect.all(
        Array.from({ length: 3 }, () =>
          Effect.flatMap(Running.make(anywhere, Layer.fresh(layer)), (server) => server.ready)),
        { concurrency: "unbounded" }
      )
      assert.lengthOf(
        starts.filter(({ firstKey }) =>
          firstKey !== undefined
        ),
        1
      )
    }).pipe(Effect.scoped, Effect.provide(Database.layer)))

  it.live("does not start where that is in vain", () =>
    Effect.gen(function*() {
      const refused = yield* Effect.flip(
        Running.make(anywhere, Layer.unwrap(Effect.fail(new StartError({ rule: "the master keys are wrong" }))))
      )
      assert.strictEqual(refused.message, "the master keys are wrong")

      const { layer } = yield* services
      const other = createServer()
      const port = yield* Effect.callback<number>((resume) => {
        other.listen(0, "127.0.0.1", () => {
          const address = other.address()
          resume(Effect.succeed(typeof address === "object" ? address?.port ?? 0 : 0))
        })
      })
      const taken = yield* Effect.flip(Running.make({ host: "127.0.0.1", port }, layer))
      assert.include(taken.message, "EADDRINUSE")
      other.close()
    }).pipe(Effect.provide(Database.layer)))

  it.live("answers every request that it has accepted, when it ends under load", () =>
    Effect.gen(function*() {
      const { layer } = yield* services
      const { all, clients } = yield* Effect.scoped(Effect.gen(function*() {
        const { origin } = yield* Running.make(anywhere, layer)
        const all = Array.from({ length: 30 }, (): Array<number> => [])
        const isBusy = yield* Deferred.make<void>()
        const tell = Effect.suspend(() =>
          all.every(({ length }) => length > 2) ? Deferred.succeed(isBusy, undefined) : Effect.void
        )
        const clients = yield* Effect.forEach(
          all,
          (answers) => Effect.forkDetach(Effect.flip(Effect.forever(Effect.tap(asking(origin, answers), tell))))
        )
        yield* Deferred.await(isBusy)
        return { all, clients }
      }))
      // Connections that nobody has accepted are refused or reset; what was accepted is answered to its end.
      const ends = yield* Effect.forEach(clients, Fiber.join)
      for (const end of ends) assert.match(end, /^ECONN(?:REFUSED|RESET)$/)
      for (const answers of all) {
        assert.strictEqual(answers[0], 200)
        assert.deepStrictEqual(answers.toSorted(), answers)
        assert.isTrue(answers.every((status) => status === 200 || status === 503))
      }
      const counted = [...(yield* PrometheusMetrics.format()).matchAll(/duration_count\{.*code="(\d+)"\} (\d+)/g)]
      assert.notInclude(counted.map(([, status]) => status), "499")
      assert.strictEqual(counted.reduce((sum, [, , count]) => sum + Number(count), 0), all.flat().length)
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()), Effect.provide(Database.layer)))
})
