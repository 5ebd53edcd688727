/**
 * The end of a server: it says that it is not ready any more, answers what has been asked, and then stops listening.
 */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Http from "node:http"
import type * as Net from "node:net"

export class Drain extends Context.Service<Drain, {
  /** Whether the end has begun. */
  readonly hasBegun: Effect.Effect<boolean>
  /** Begins it: ends once nobody is connected any more, or it has been waited for that for `linger`. */
  readonly begin: Effect.Effect<void>
}>()("@effect-identity/token-server/internal/operation/Drain") {}

/** How long new connections are accepted, so that whoever sends requests here can learn that it should not. */
export const linger: Duration.Input = "1 second"

/** How long requests may take from then on. */
export const limit: Duration.Input = "20 seconds"

const isLast = (answer: Http.ServerResponse) => {
  answer.shouldKeepAlive = false
}

/**
 * Watches a server from before it listens. From the beginning of the end on, every answer asks its client to close the
 * connection: connections are closed by answers and not under the hands of clients, so a request that was sent is answered.
 */
export const make = (server: Http.Server): Effect.Effect<Drain["Service"]> =>
  Effect.sync(() => {
    const sockets = new Set<Net.Socket>()
    const answers = new Set<Http.ServerResponse>()
    const silent = Deferred.makeUnsafe<void>()
    let hasBegun = false

    server.on("connection", (socket: Net.Socket) => {
      sockets.add(socket)
      socket.once("close", () => {
        sockets.delete(socket)
        if (hasBegun && sockets.size === 0) Deferred.doneUnsafe(silent, Effect.void)
      })
    })
    server.prependListener("request", (_, answer: Http.ServerResponse) => {
      answers.add(answer)
      answer.once("close", () => answers.delete(answer))
      if (hasBegun) isLast(answer)
    })

    return {
      hasBegun: Effect.sync(() => hasBegun),
      begin: Effect.suspend(() => {
        hasBegun = true
        for (const answer of answers) isLast(answer)
        return sockets.size === 0 ? Effect.void : Effect.timeoutOrElse(Deferred.await(silent), {
          duration: linger,
          orElse: () => Effect.void
        })
      })
    }
  })
