/**
 * A server of Node that listens until its scope closes, and then lets those go who are connected.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import type * as Http from "node:http"
import * as Drain from "./Drain.ts"

/** The system does not let the server listen there; `code` is what it calls that. */
export class CannotListen extends Data.TaggedError("CannotListen")<{ readonly code: string }> {
  override get message(): string {
    return `the server cannot listen on TOKEN_SERVER_HOST and TOKEN_SERVER_PORT: ${this.code}`
  }
}

const codeOf = (cause: unknown): string =>
  Predicate.hasProperty(cause, "code") && typeof cause.code === "string" ? cause.code : "unknown"

const close = (server: Http.Server): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    server.close(() => resume(Effect.void))
  }).pipe(
    Effect.timeoutOrElse({ duration: Drain.limit, orElse: () => Effect.sync(() => server.closeAllConnections()) })
  )

const format = (server: Http.Server): string => {
  const address = server.address()
  if (typeof address !== "object" || address === null) return "a closed server"
  return `http://${address.family === "IPv6" ? `[${address.address}]` : address.address}:${address.port}`
}

/** Listens, and gives the origin. Closing drains first, and takes `Drain.linger` and `Drain.limit` at most. */
export const make = Effect.fnUntraced(function*(
  server: Http.Server,
  { drain, host, port }: { readonly drain: Drain.Drain["Service"]; readonly host: string; readonly port: number }
): Effect.fn.Return<string, CannotListen, Scope.Scope> {
  const context = yield* Effect.context<never>()
  const listening = Effect.callback<void, CannotListen>((resume) => {
    const refused = (cause: Error) => resume(Effect.fail(new CannotListen({ code: codeOf(cause) })))
    server.once("error", refused)
    server.listen({ host, port }, () => {
      server.off("error", refused)
      // Without somebody who hears of it, a connection that could not be accepted would end the process.
      server.on("error", (cause) =>
        Effect.runForkWith(context)(
          Effect.annotateLogs(Effect.logError("a connection was not accepted"), "error.type", codeOf(cause))
        ))
      resume(Effect.void)
    })
  })
  yield* Effect.acquireRelease(
    listening,
    () => Effect.logInfo("draining").pipe(Effect.andThen(drain.begin), Effect.andThen(close(server)))
  )
  return format(server)
})
