/**
 * Connections to the platform on Node: kept for the second step, bounded in the time they may take to be made.
 *
 * @since 0.1.0
 */
import { HttpAgent } from "@effect/platform-node/NodeHttpClient"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Http from "node:http"
import * as Https from "node:https"
import type { Duplex } from "node:stream"
import type { SecureContext } from "node:tls"
import { WorkloadConfig } from "../Config.ts"

// Long enough for the second step to follow the first, shorter than any server waits before it hangs up.
const idle = { keepAlive: true, timeout: 4_000 } as const

class ConnectTimeout extends Error {
  readonly code = "ETIMEDOUT"
}

/** Ends a connection that has not been made, TLS included, when the time is up. */
const bound = <A extends Duplex | null | undefined>(socket: A, connected: string, millis: number): A => {
  if (socket === null || socket === undefined) return socket
  // @effect-diagnostics-next-line globalTimers:off
  const timer = setTimeout(() => socket.destroy(new ConnectTimeout("connect timeout")), millis)
  const stop = () => clearTimeout(timer)
  socket.once(connected, stop)
  socket.once("close", stop)
  return socket
}

type CreateConnection<Agent extends Http.Agent> = Parameters<Agent["createConnection"]>

/**
 * Agents that connect directly and give up after `connectTimeout` milliseconds. With a `secureContext`, TLS trusts whom
 * that trusts.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const direct = (connectTimeout: number, secureContext?: SecureContext): HttpAgent["Service"] => ({
  http: new class extends Http.Agent {
    override createConnection(...args: CreateConnection<Http.Agent>) {
      return bound(super.createConnection(...args), "connect", connectTimeout)
    }
  }(idle),
  https: new class extends Https.Agent {
    override createConnection(...args: CreateConnection<Https.Agent>) {
      return bound(super.createConnection(...args), "secureConnect", connectTimeout)
    }
  }({ ...idle, ...(secureContext && { secureContext }) })
})

/**
 * Agents that close with the scope.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make = (agents: HttpAgent["Service"]): Effect.Effect<HttpAgent["Service"], never, Scope.Scope> =>
  Effect.acquireRelease(Effect.succeed(agents), ({ http, https }) =>
    Effect.sync(() => {
      http.destroy()
      https.destroy()
    }))

/**
 * Agents that give up after the configuration's `connectTimeout` and close with the layer.
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<HttpAgent, never, WorkloadConfig> = Layer.effect(
  HttpAgent,
  Effect.flatMap(WorkloadConfig, ({ connectTimeout }) => make(direct(Duration.toMillis(connectTimeout))))
)
