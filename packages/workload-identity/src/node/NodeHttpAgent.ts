/**
 * Connections to the platform on Node: kept for the second step, bounded in the time they may take to be made.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Http from "node:http"
import * as Https from "node:https"
import type { Duplex } from "node:stream"
import type { SecureContext } from "node:tls"

// Long enough for the second step to follow the first, shorter than any server waits before it hangs up.
const idle = { keepAlive: true, timeout: 4_000 } as const

class ConnectTimeout extends Error {
  readonly code = "ETIMEDOUT"
}

/**
 * An agent for each protocol.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Agents {
  readonly http: Http.Agent
  readonly https: Https.Agent
}

/**
 * What a connection keeps alive: the process, or nothing.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Hold = "process" | "nothing"

const letGo = (socket: object): void => {
  if ("unref" in socket && typeof socket.unref === "function") socket.unref()
}

/** Ends a connection that has not been made, TLS included, when the time is up. */
const bound = <A extends Duplex | null | undefined>(
  socket: A,
  connected: string,
  { connectTimeout, hold }: { readonly connectTimeout: number; readonly hold: Hold }
): A => {
  if (socket === null || socket === undefined) return socket
  // @effect-diagnostics-next-line globalTimers:off
  const timer = setTimeout(() => socket.destroy(new ConnectTimeout("connect timeout")), connectTimeout)
  const stop = () => clearTimeout(timer)
  socket.once(connected, stop)
  socket.once("close", stop)
  if (hold === "nothing") {
    letGo(socket)
    letGo(timer)
  }
  return socket
}

type CreateConnection<Agent extends Http.Agent> = Parameters<Agent["createConnection"]>
type ReuseSocket = Parameters<Http.Agent["reuseSocket"]>

/**
 * Agents that connect directly and give up after `connectTimeout` milliseconds. With a `secureContext`, TLS trusts whom
 * that trusts.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const direct = (
  connectTimeout: number,
  { hold = "process", secureContext }: {
    readonly secureContext?: SecureContext | undefined
    readonly hold?: Hold | undefined
  } = {}
): Agents => {
  const limits = { connectTimeout, hold }
  return {
    http: new class extends Http.Agent {
      override createConnection(...args: CreateConnection<Http.Agent>) {
        return bound(super.createConnection(...args), "connect", limits)
      }
      override reuseSocket(...args: ReuseSocket) {
        super.reuseSocket(...args)
        if (hold === "nothing") letGo(args[0])
      }
    }(idle),
    https: new class extends Https.Agent {
      override createConnection(...args: CreateConnection<Https.Agent>) {
        return bound(super.createConnection(...args), "secureConnect", limits)
      }
      override reuseSocket(...args: ReuseSocket) {
        super.reuseSocket(...args)
        if (hold === "nothing") letGo(args[0])
      }
    }({ ...idle, ...(secureContext && { secureContext }) })
  }
}

/**
 * Agents that close with the scope.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make = (agents: Agents): Effect.Effect<Agents, never, Scope.Scope> =>
  Effect.acquireRelease(Effect.succeed(agents), ({ http, https }) =>
    Effect.sync(() => {
      http.destroy()
      https.destroy()
    }))
