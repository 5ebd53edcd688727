/**
 * Connections to the platform on Node: kept for the second step, bounded in the time they may take to be made.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Http from "node:http"
import type * as Https from "node:https"
import type { Duplex } from "node:stream"
import type { SecureContext } from "node:tls"
import * as Builtin from "./internal/Builtin.ts"

// Long enough for the second step to follow the first, shorter than any server waits before it hangs up.
const idle = { keepAlive: true, timeout: 4_000 } as const

class ConnectTimeout extends Error {
  readonly code = "ETIMEDOUT"
}

/**
 * An agent for each protocol, made when it is first used.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Agents {
  readonly http: Http.Agent
  readonly https: Https.Agent
  /** Those that were used. */
  readonly made: () => ReadonlyArray<Http.Agent>
}

/**
 * Agents that are made when they are used.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const whenUsed = (
  make: { readonly http: () => Http.Agent; readonly https: () => Https.Agent }
): Agents => {
  let http: Http.Agent | undefined
  let https: Https.Agent | undefined
  return {
    get http() {
      return http ??= make.http()
    },
    get https() {
      return https ??= make.https()
    },
    made: () => [http, https].filter((agent) => agent !== undefined)
  }
}

/**
 * Begins a request over these agents.
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const request = (agents: Agents, url: URL, options: Http.RequestOptions): Http.ClientRequest =>
  url.protocol === "https:"
    ? Builtin.https().request(url, { ...options, agent: agents.https })
    : Builtin.http().request(url, { ...options, agent: agents.http })

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
  const makeHttp = () =>
    new class extends Builtin.http().Agent {
      override createConnection(...args: CreateConnection<Http.Agent>) {
        return bound(super.createConnection(...args), "connect", limits)
      }
      override reuseSocket(...args: ReuseSocket) {
        super.reuseSocket(...args)
        if (hold === "nothing") letGo(args[0])
      }
    }(idle)
  const makeHttps = () =>
    new class extends Builtin.https().Agent {
      override createConnection(...args: CreateConnection<Https.Agent>) {
        return bound(super.createConnection(...args), "secureConnect", limits)
      }
      override reuseSocket(...args: ReuseSocket) {
        super.reuseSocket(...args)
        if (hold === "nothing") letGo(args[0])
      }
    }({ ...idle, ...(secureContext && { secureContext }) })
  return whenUsed({ http: makeHttp, https: makeHttps })
}

/**
 * Agents that close with the scope.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make = (agents: Agents): Effect.Effect<Agents, never, Scope.Scope> =>
  Effect.acquireRelease(Effect.succeed(agents), ({ made }) =>
    Effect.sync(() => {
      for (const agent of made()) agent.destroy()
    }))
