/**
 * A broken network on loopback: a TCP relay in front of a server, told connection by connection what to do to it.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { connect, createServer, type Socket } from "node:net"
import { setTimeout as wait } from "node:timers/promises"

/**
 * What happens to one connection. Nothing, where nothing is said.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Behaviour {
  /** Time before anything is passed on. */
  readonly delay?: Duration.Input | undefined
  /** Passes the answer on in pieces of so many bytes, one after each pause. */
  readonly drip?: { readonly bytes: number; readonly every: Duration.Input } | undefined
  /** Bytes of the answer that are passed on before the connection ends. */
  readonly cutAfter?: number | undefined
  /** How it ends then: with RST, with FIN, or not at all, silently. @default "reset" */
  readonly ending?: "reset" | "close" | "silence" | undefined
}

/**
 * A connection there was.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Connection {
  /** Bytes that came from the client and were passed on. */
  sent: number
  /** Bytes of the answer that reached the client. */
  received: number
  /** Whether the client's side of it is closed. */
  isClosed: boolean
}

/**
 * What stands between a client and a server, and can break their connections.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Relay {
  /** Where it listens, as the origin of a URL. */
  readonly origin: string
  readonly connections: ReadonlyArray<Connection>
  /** The next connections behave like this, one each, in this order; those after them do nothing special. */
  readonly script: (...behaviours: ReadonlyArray<Behaviour>) => void
}

const end = (client: Socket, ending: Behaviour["ending"]): void => {
  if (ending === "silence") return
  if (ending === "close") client.end()
  else client.resetAndDestroy()
}

const passOn = async (client: Socket, target: Socket, connection: Connection, behaviour: Behaviour) => {
  const { cutAfter = Number.POSITIVE_INFINITY, delay, drip, ending } = behaviour
  if (delay !== undefined) await wait(Duration.toMillis(delay))
  if (cutAfter === 0) return end(client, ending)
  client.on("data", (chunk) => {
    connection.sent += chunk.length
    target.write(chunk)
  })
  for await (const chunk of target) {
    if (!Buffer.isBuffer(chunk)) continue
    const size = drip?.bytes ?? chunk.length
    for (let offset = 0; offset < chunk.length; offset += size) {
      if (drip !== undefined) await wait(Duration.toMillis(drip.every))
      if (client.destroyed) return undefined
      const piece = chunk.subarray(offset, Math.min(offset + size, chunk.length))
      const fitting = piece.subarray(0, cutAfter - connection.received)
      connection.received += fitting.length
      // What was written has to be on its way before the connection is reset.
      await new Promise((resolve) => client.write(fitting, resolve))
      if (connection.received >= cutAfter) return end(client, ending)
    }
  }
  client.end()
  return undefined
}

/**
 * Starts a relay in front of a loopback port.
 *
 * @example
 * ```ts
 * import { Platform, Relay } from "@effect-identity/testing"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const platform = yield* Platform.Platform
 *   const relay = yield* Relay.make(Number(new URL(platform.idTokenEndpoint).port))
 *   relay.script({ cutAfter: 0 })
 *   yield* Effect.promise(() => fetch(relay.origin).catch(() => "reset"))
 *   return (yield* platform.requests).length
 * })
 *
 * Effect.runPromise(Effect.scoped(Effect.provide(program, Platform.layer()))) // => 0
 * ```
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make = (port: number): Effect.Effect<Relay, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<Relay & { readonly stop: () => void }>((resume) => {
        const connections: Array<Connection> = []
        const ordered: Array<Behaviour> = []
        const sockets = new Set<Socket>()
        const server = createServer((client) => {
          const connection: Connection = { sent: 0, received: 0, isClosed: false }
          connections.push(connection)
          const target = connect(port, "127.0.0.1")
          for (const socket of [client, target]) sockets.add(socket.on("error", () => {}))
          client.once("close", () => {
            connection.isClosed = true
            target.destroy()
          })
          passOn(client, target, connection, ordered.shift() ?? {}).catch(() => client.destroy())
        })
        server.listen(0, "127.0.0.1", () => {
          const address = server.address()
          resume(Effect.succeed({
            origin: `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`,
            connections,
            script: (...behaviours) => {
              ordered.push(...behaviours)
            },
            stop: () => {
              for (const socket of sockets) socket.destroy()
              server.close()
            }
          }))
        })
      }),
      ({ stop }) => Effect.sync(stop)
    ),
    ({ connections, origin, script }) => ({ connections, origin, script })
  )
