/**
 * Connections to third parties through a proxy, by CONNECT (RFC 9110 §9.3.6), for http targets too.
 *
 * The proxy's credentials are sent to the proxy and to nobody else; what is sent through it, it cannot read. There is no
 * way around it: when the proxy fails, the connection fails with an error that says how.
 *
 * @since 0.1.0
 */
import * as Redacted from "effect/Redacted"
import type * as Http from "node:http"
import type * as Https from "node:https"
import { isIP, type Socket } from "node:net"
import type * as Tls from "node:tls"
import * as Builtin from "./internal/Builtin.ts"
import type { ProxyAddress } from "./ProxyConfig.ts"

/**
 * Which proxy, whom it is trusted by, and how long a connection may take.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly proxy: ProxyAddress
  readonly secureContext: Tls.SecureContext | undefined
  /** Milliseconds for everything until the connection to the target can be used. */
  readonly connectTimeout: number
}

/** What failed at the proxy, in fields only: the errors of Node quote addresses. */
class ProxyError extends Error {
  readonly code = "ERR_PROXY"
  readonly detail: "authentication" | "status" | "unreachable" | "tls" | "timeout"
  readonly status: number | undefined
  constructor(detail: ProxyError["detail"], status?: number) {
    super(`proxy failed (${detail})`)
    this.detail = detail
    this.status = status
  }
}

interface Target {
  readonly host: string
  readonly port: number
}

type Done = NonNullable<Parameters<Http.Agent["createConnection"]>[1]>

const authority = ({ host, port }: Target): string => `${isIP(host) === 6 ? `[${host}]` : host}:${port}`

const isTls = (error: unknown): boolean =>
  error instanceof Error && "code" in error && /CERT|TLS|SSL|EPROTO|UNABLE_TO|SELF_SIGNED/.test(String(error.code))

const serverName = (host: string): string => isIP(host) === 0 ? host : ""

const requestTunnel = ({ proxy, secureContext }: Options, target: Target): Http.ClientRequest => {
  const options: Http.RequestOptions = {
    host: proxy.hostname,
    port: proxy.port,
    method: "CONNECT",
    path: authority(target),
    agent: false,
    headers: { host: authority(target), "proxy-authorization": Redacted.value(proxy.authorization) }
  }
  return proxy.protocol === "https:"
    // Node would take the name it checks from the host header, which is the target's.
    ? Builtin.https().request({
      ...options,
      servername: serverName(proxy.hostname),
      ...(secureContext && { secureContext })
    })
    : Builtin.http().request(options)
}

/** Opens a tunnel and hands over its socket, or the error, once; gives up when the time is up. */
const openTunnel = (options: Options, target: Target, secure: (socket: Socket) => Socket, done: Done): void => {
  const request = requestTunnel(options, target)
  let open: Socket | undefined
  let isSettled = false
  const settle = (...outcome: [error: Error] | [error: null, socket: Socket]) => {
    if (isSettled) return
    isSettled = true
    clearTimeout(timer)
    if (outcome[0] !== null) {
      open?.destroy()
      request.destroy()
    }
    Reflect.apply(done, undefined, outcome)
  }
  const fail = (error: Error) => settle(error)
  // @effect-diagnostics-next-line globalTimers:off
  const timer = setTimeout(() => fail(new ProxyError("timeout")), options.connectTimeout)

  request.on("error", (error) => fail(new ProxyError(isTls(error) ? "tls" : "unreachable")))
  request.once("connect", ({ statusCode = 0 }, socket, head) => {
    open = socket
    if (statusCode !== 200) {
      // tinyproxy answers 401 to credentials it does not know.
      const isAuthentication = statusCode === 407 || statusCode === 401
      return fail(new ProxyError(isAuthentication ? "authentication" : "status", statusCode))
    }
    if (head.length > 0) socket.unshift(head)
    const usable = secure(socket)
    if (usable === socket) return settle(null, usable)
    usable.once("error", fail)
    usable.once("secureConnect", () => {
      usable.off("error", fail)
      settle(null, usable)
    })
  })
  request.end()
}

// Long enough for one request to follow another, shorter than any server waits before it hangs up.
const idle = { keepAlive: true, timeout: 4_000 } as const

const targetOf = ({ host, port }: Http.ClientRequestArgs): Target => ({ host: host ?? "localhost", port: Number(port) })

/**
 * An agent for http targets, tunnelled as well.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const makeHttp = (options: Options): Http.Agent =>
  new class extends Builtin.http().Agent {
    override createConnection(args: Http.ClientRequestArgs, done: Done = () => {}): undefined {
      openTunnel(options, targetOf(args), (socket) => socket, done)
    }
  }(idle)

/**
 * An agent for https targets. Their certificates are checked here, not at the proxy.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const makeHttps = (options: Options): Https.Agent =>
  new class extends Builtin.https().Agent {
    override createConnection(args: Https.RequestOptions, done: Done = () => {}): undefined {
      const target = targetOf(args)
      const servername = args.servername ?? serverName(target.host)
      openTunnel(options, target, (socket) =>
        Builtin.tls().connect({
          socket,
          servername,
          host: target.host,
          ALPNProtocols: ["http/1.1"],
          ...(options.secureContext && { secureContext: options.secureContext })
        }), done)
    }
  }(idle)
