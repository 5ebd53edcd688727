/**
 * A proxy on a loopback socket that tunnels by CONNECT, asks for Basic credentials, keeps every byte that passes, and
 * misbehaves when told to.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Http from "node:http"
import * as Https from "node:https"
import { connect } from "node:net"
import type { Duplex } from "node:stream"
import type { Identity } from "./CertificateAuthority.ts"

/**
 * One CONNECT, as the proxy saw it.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export class Tunnel extends Data.Class<{
  /** Host and port that were asked for. */
  readonly authority: string
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  readonly chunks: Array<Buffer>
}> {
  /** Everything that passed in either direction, each byte as one character. */
  get bytes(): string {
    return Buffer.concat(this.chunks).toString("latin1")
  }
}

/**
 * How a proxy behaves: it tunnels, answers every CONNECT with a status, or says nothing.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Behaviour = "tunnel" | "silence" | number

/**
 * A proxy on loopback that tunnels, and tells what it was asked.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface ConnectProxy {
  /** Its address, without credentials. */
  readonly url: string
  readonly tunnels: ReadonlyArray<Tunnel>
  readonly behave: (behaviour: Behaviour) => void
}

/**
 * Whom the proxy lets through, where to, and whether it speaks TLS.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** User and password it asks for. */
  readonly credentials: { readonly user: string; readonly password: string }
  /** Loopback ports that stand in for hosts and ports of the world, such as `"api.example:443"`. */
  readonly standIns?: Readonly<Record<string, number>> | undefined
  /** Makes it speak TLS. */
  readonly identity?: Identity | undefined
}

const refuse = (socket: Duplex, status: number) =>
  socket.end(`HTTP/1.1 ${status} ${Http.STATUS_CODES[status] ?? "Refused"}\r\ncontent-length: 0\r\n\r\n`)

/**
 * Starts a proxy on a free port of the loopback interface.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  { credentials, identity, standIns = {} }: Options
): Effect.Effect<ConnectProxy, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<ConnectProxy & { readonly stop: () => void }>((resume) => {
        const tunnels: Array<Tunnel> = []
        const sockets = new Set<Duplex>()
        const expected = `Basic ${Buffer.from(`${credentials.user}:${credentials.password}`).toString("base64")}`
        let behaviour: Behaviour = "tunnel"

        const server = identity === undefined ? Http.createServer() : Https.createServer({ ...identity })
        server.on("connection", (socket) => sockets.add(socket))
        server.on("request", (_, response) => response.writeHead(501).end())
        server.on("connect", (request, socket, head) => {
          const tunnel = new Tunnel({ authority: request.url ?? "", headers: { ...request.headers }, chunks: [] })
          tunnels.push(tunnel)
          socket.on("error", () => {})
          if (behaviour === "silence") return
          if (request.headers["proxy-authorization"] !== expected) return refuse(socket, 407)
          if (typeof behaviour === "number") return refuse(socket, behaviour)
          const { hostname, port } = new URL(`tunnel://${request.url}`)
          const standIn = standIns[tunnel.authority]
          const [host, at] = standIn === undefined
            ? [hostname.replace(/^\[|\]$/g, ""), Number(port)]
            : ["127.0.0.1", standIn]
          const target = connect(at, host, () => {
            socket.write("HTTP/1.1 200 Connection established\r\n\r\n")
            if (head.length > 0) target.write(head)
            socket.pipe(target).pipe(socket)
          })
          sockets.add(target)
          socket.on("data", (chunk) => tunnel.chunks.push(chunk))
          target.on("data", (chunk) => tunnel.chunks.push(chunk))
          target.on("error", () => refuse(socket, 502))
          return undefined
        })
        server.listen(0, "127.0.0.1", () => {
          const address = server.address()
          const port = typeof address === "object" && address !== null ? address.port : 0
          resume(Effect.succeed({
            url: `${identity === undefined ? "http" : "https"}://127.0.0.1:${port}`,
            tunnels,
            behave: (next) => {
              behaviour = next
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
    ({ behave, tunnels, url }) => ({ behave, tunnels, url })
  )
