/**
 * `token-server`: reads the environment, serves, and says once what the first key is.
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as Settings from "../../Settings.ts"
import * as TokenServer from "../../TokenServer.ts"
import * as Telemetry from "../operation/Telemetry.ts"
import { version } from "../version.ts"

const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/.test(host)

/** Everything but the first key goes to the error output, a line of JSON each. */
export const layerLog: Layer.Layer<never> = Logger.layer([Logger.withConsoleError(Logger.formatJson)])

const running = Effect.gen(function*() {
  const server = yield* TokenServer.TokenServer
  const { firstKey } = yield* server.ready
  // Not a log: those are kept.
  if (firstKey !== undefined) yield* Console.log(`first admin key, shown once: ${Redacted.value(firstKey)}`)
  return yield* Effect.never
})

export const serve = Effect.gen(function*() {
  const settings = yield* Settings.read
  if (!isLoopback(settings.host)) {
    yield* Effect.logWarning("listens beyond this machine and speaks plain HTTP: TLS must end in front of it")
  }
  return yield* running.pipe(
    Effect.provide(TokenServer.layer(settings).pipe(Layer.provideMerge(Telemetry.layer(version))))
  )
}).pipe(
  Effect.tapError(({ message }) => Effect.logError(message)),
  Effect.provide(layerLog)
)
