/**
 * A server from its first moment to its last: it listens at once, works once it has its database, and drains at its end.
 */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import type { StoreFailed } from "../Failure.ts"
import * as Server from "../http/Server.ts"
import { Database } from "../store/Database.ts"
import * as FirstKey from "../store/FirstKey.ts"
import * as Drain from "./Drain.ts"
import * as Health from "./Health.ts"
import * as Listening from "./Listening.ts"
import * as Metrics from "./Metrics.ts"
import * as RequestMetrics from "./RequestMetrics.ts"
import { StartError } from "./StartError.ts"
import * as Waiting from "./Waiting.ts"

/** All that the API needs, and the database below it. */
export type Services = Layer.Layer<Database | Server.Services, StartError | StoreFailed>

const attempts = Schedule.exponential("250 millis").pipe(
  Schedule.modifyDelay(({ duration }) => Effect.succeed(Duration.min(duration, Duration.seconds(5)))),
  Schedule.jittered
)

const probe = Effect.flatMap(Database, ({ now }) =>
  Effect.match(Effect.timeoutOption(now, "2 seconds"), {
    onFailure: ({ detail }): ReadonlyArray<Health.Reason> => [`database_${detail}`],
    onSuccess: ({ _tag }): ReadonlyArray<Health.Reason> => _tag === "Some" ? [] : ["database_busy"]
  }))

const logFailure = ({ detail, message }: StoreFailed) =>
  Effect.annotateLogs(Effect.logWarning(`not ready: ${message}`), "error.type", detail)

export const make = Effect.fnUntraced(function*(
  { host, port }: { readonly host: string; readonly port: number },
  services: Services
): Effect.fn.Return<
  {
    readonly origin: string
    readonly ready: Effect.Effect<{ readonly firstKey: Redacted.Redacted | undefined }, StartError>
  },
  StartError,
  Scope.Scope
> {
  // What works is closed after what listens, although it is made later.
  const works = yield* Scope.make()
  yield* Effect.addFinalizer((exit) => Scope.close(works, exit))
  const server = yield* Server.createServer
  const drain = yield* Drain.make(server)
  yield* RequestMetrics.watch(server)
  const ready = yield* Deferred.make<{ readonly firstKey: Redacted.Redacted | undefined }, StartError>()
  const attempted = yield* Deferred.make<void>()
  let reasons: Effect.Effect<ReadonlyArray<Health.Reason>> = Effect.succeed(["starting"])
  const readiness = Effect.suspend(() => reasons)

  const besides = Context.make(Drain.Drain, drain).pipe(Context.add(Health.Readiness, readiness))

  /** All of it, or nothing: what was built is let go of when the rest fails. */
  const start = Effect.gen(function*() {
    const inner = yield* Scope.fork(works)
    return yield* Effect.gen(function*() {
      const context = yield* Layer.build(services)
      return yield* Effect.gen(function*() {
        const firstKey = yield* FirstKey.make
        const database = yield* Database
        yield* Server.serve(server, {
          routes: [...Health.routes, ...Metrics.routes],
          layer: Layer.merge(Health.layer, Metrics.layer).pipe(
            Layer.provide(Layer.succeedContext(Context.merge(context, besides)))
          )
        })
        reasons = Effect.provideService(probe, Database, database)
        yield* Effect.logInfo("ready")
        return { firstKey }
      }).pipe(Effect.provideContext(context))
    }).pipe(
      Scope.provide(inner),
      Effect.onError((cause) => Scope.close(inner, Exit.failCause(cause)))
    )
  })

  yield* Effect.provideContext(Waiting.serve(server), besides)
  yield* start.pipe(
    Effect.tapErrorTag("StoreFailed", (error) => {
      reasons = Effect.succeed([`database_${error.detail}`])
      return Effect.andThen(logFailure(error), Deferred.succeed(attempted, undefined))
    }),
    Effect.retry({ schedule: attempts, while: ({ _tag }) => _tag === "StoreFailed" }),
    Effect.catchTag("StoreFailed", Effect.die),
    Effect.onExit((exit) => Effect.andThen(Deferred.done(ready, exit), Deferred.succeed(attempted, undefined))),
    Effect.ignore,
    Effect.forkScoped
  )
  const origin = yield* Listening.make(server, { drain, host, port }).pipe(
    Effect.mapError(({ message }) => new StartError({ rule: message }))
  )
  yield* Effect.logInfo(`listening on ${origin}`)
  yield* Deferred.await(attempted)
  const found = yield* Deferred.poll(ready)
  if (found._tag === "Some") yield* found.value
  return { origin, ready: Deferred.await(ready) }
})
