/**
 * Connections to upstreams. An address is judged when it is written in a URL, when a name resolves to it, and when it has
 * been connected to, before a byte is sent; a name of which one address is not allowed is not connected to at all.
 *
 * A connection is made for one request and before that: so what must be done last can be done between.
 */
import { type Reason, Transport } from "@effect-identity/oauth/OAuthError"
import * as SecureRequest from "@effect-identity/oauth/SecureRequest"
import type { SecureUrl } from "@effect-identity/oauth/SecureUrl"
import { HttpAgent, makeNodeHttp } from "@effect/platform-node/NodeHttpClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { HttpClient } from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Http from "node:http"
import * as Https from "node:https"
import * as Net from "node:net"
import * as Tls from "node:tls"
import { Unusable } from "../Failure.ts"
import * as AddressRules from "./AddressRules.ts"
import { Resolver } from "./Resolver.ts"

export class Egress extends Context.Service<Egress, {
  /** Connects to where an address points, if it may be. The client sends one request over that, as long as the scope lives. */
  readonly connect: (
    url: SecureUrl,
    openings: ReadonlyArray<AddressRules.Opening>
  ) => Effect.Effect<HttpClient, Reason | Unusable, Scope.Scope>
}>()("@effect-identity/token-server/internal/upstream/Egress") {}

const refused = new Unusable({ detail: "egress" })

class ConnectionLost extends Error {
  readonly code = "ECONNRESET"
}

/** Errors after a connection was made reach whoever uses it; nobody listening must not end the process. */
const ignore = () => {}

const connected = (socket: Net.Socket, event: "connect" | "secureConnect"): Effect.Effect<void, Reason> =>
  Effect.callback((resume) => {
    const fail = (error: unknown) => resume(Effect.fail(SecureRequest.reasonOf(error)))
    const close = () => resume(Effect.fail(new Transport({ detail: "reset" })))
    socket.on("error", ignore)
    socket.once("error", fail)
    socket.once("close", close)
    socket.once(event, () => {
      socket.off("error", fail)
      socket.off("close", close)
      resume(Effect.void)
    })
  })

/** A socket that is gone with the scope, however far it has come. */
const scoped = <A extends Net.Socket>(open: () => A): Effect.Effect<A, never, Scope.Scope> =>
  Effect.acquireRelease(Effect.sync(open), (socket) =>
    Effect.sync(() => {
      socket.destroy()
    }))

const dial = (port: number, addresses: ReadonlyArray<string>): Net.Socket =>
  Net.connect({
    // Node asks for the addresses of what is not one itself, and is given those that were judged.
    host: addresses.length === 1 ? addresses[0] : "judged.invalid",
    port,
    lookup: (_hostname, _options, done) =>
      done(null, addresses.map((address) => ({ address, family: Net.isIP(address) })))
  })

/** Agents that know one connection. */
const agentsOf = (socket: Net.Socket): HttpAgent["Service"] => {
  const give = (done: ((error: Error | null, socket: Net.Socket) => void) | undefined): Net.Socket | undefined => {
    if (!socket.destroyed) return socket
    done?.(new ConnectionLost("connection lost"), socket)
    return undefined
  }
  return {
    http: new class extends Http.Agent {
      override createConnection(...[, done]: Parameters<Http.Agent["createConnection"]>) {
        return give(done)
      }
    }(),
    https: new class extends Https.Agent {
      override createConnection(...[, done]: Parameters<Https.Agent["createConnection"]>) {
        return give(done)
      }
    }()
  }
}

/** What `layer` may be told, for issuers whose certificates are of one's own authority. */
export interface Options {
  /** Authorities to trust instead of the usual ones, in PEM. */
  readonly authorities?: string | undefined
}

export const make = Effect.fnUntraced(function*({ authorities }: Options = {}) {
  const { resolve } = yield* Resolver

  const judged = Effect.fnUntraced(function*(
    hostname: string,
    port: number,
    openings: ReadonlyArray<AddressRules.Opening>
  ): Effect.fn.Return<ReadonlyArray<string>, Reason | Unusable> {
    const addresses = Net.isIP(hostname) === 0 ? yield* resolve(hostname) : [hostname]
    if (addresses.length === 0) return yield* new Transport({ detail: "dns", isPermanent: true })
    return addresses.every((address) => AddressRules.isAllowed({ hostname, port, address }, openings))
      ? addresses
      : yield* refused
  })

  const connect = Effect.fnUntraced(function*(
    url: SecureUrl,
    openings: ReadonlyArray<AddressRules.Opening>
  ): Effect.fn.Return<HttpClient, Reason | Unusable, Scope.Scope> {
    const { port } = url
    const hostname = url.hostname.replace(/^\[|\]$/g, "")
    const addresses = yield* judged(hostname, port, openings)
    const plain = yield* scoped(() => dial(port, addresses))
    yield* connected(plain, "connect")
    const peer = plain.remoteAddress
    if (peer === undefined || !AddressRules.isAllowed({ hostname, port, address: peer }, openings)) {
      return yield* refused
    }
    if (url.href.startsWith("http:")) return yield* Effect.provideService(makeNodeHttp, HttpAgent, agentsOf(plain))
    const secure = yield* scoped(() =>
      Tls.connect({
        socket: plain,
        host: hostname,
        servername: Net.isIP(hostname) === 0 ? hostname : "",
        ALPNProtocols: ["http/1.1"],
        ...(authorities !== undefined && { ca: authorities })
      })
    )
    yield* connected(secure, "secureConnect")
    return yield* Effect.provideService(makeNodeHttp, HttpAgent, agentsOf(secure))
  })

  return Egress.of({ connect })
})

export const layer = (options?: Options): Layer.Layer<Egress> => Layer.effect(Egress, make(options))
