/**
 * The whole server on a loopback port, and requests to it.
 */
import { createKey } from "@effect-identity/token-server/internal/http/AdministrationRoutes"
import * as Server from "@effect-identity/token-server/internal/http/Server"
import type { Role } from "@effect-identity/token-server/internal/store/ApiKeyStore"
import { Effect, Layer, Redacted, type Scope } from "effect"
import * as Http from "node:http"
import * as Memory from "./Memory.ts"

export interface Answer {
  readonly status: number
  readonly headers: Http.IncomingHttpHeaders
  readonly text: string
  readonly json: unknown
}

export interface Asked {
  readonly method?: string | undefined
  readonly path: string
  readonly key?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: unknown
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** One request, its path letter by letter as it is given. */
export const send = (port: number, { body, headers, key, method = "GET", path }: Asked): Effect.Effect<Answer> =>
  Effect.promise(() => {
    const { promise, reject, resolve } = Promise.withResolvers<Answer>()
    const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body)
    const request = Http.request({
      port,
      host: "127.0.0.1",
      method,
      path,
      headers: {
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
        ...(text !== undefined && { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
        ...headers
      }
    }, (response) => {
      response.setEncoding("utf8")
      let received = ""
      response.on("data", (chunk: string) => received += chunk)
      response.on("error", reject)
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: received,
          json: parsed(received)
        }))
    })
    request.on("error", reject)
    request.end(text)
    return promise
  })

const listen = (server: Http.Server): Effect.Effect<number, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
      })
    }),
    () =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
  )

export interface Running {
  readonly port: number
  readonly server: Http.Server
  readonly send: (asked: Asked) => Effect.Effect<Answer>
  /** Makes a key as the server does at its first start. */
  readonly key: (role: Role, realms?: "*" | ReadonlyArray<string>, expiresAt?: number) => Effect.Effect<string>
}

/** Starts a server on stores that are given. */
export const start = Effect.fnUntraced(function*(
  services: Layer.Layer<Server.Services> = Memory.layer
): Effect.fn.Return<Running, never, Scope.Scope> {
  const context = yield* Layer.build(services)
  const server = yield* Server.createServer
  const port = yield* listen(server)
  yield* Effect.provideContext(Server.serve(server), context)
  return {
    port,
    server,
    send: (asked) => send(port, asked),
    key: (role, realms = "*", expiresAt) =>
      createKey({ name: role, role, realms, expiresAt }).pipe(
        Effect.map(({ text }) => Redacted.value(text)),
        Effect.provideContext(context),
        Effect.orDie
      )
  }
})
