/**
 * The whole server on a loopback port, and requests to it.
 */
import { WeChat } from "@effect-identity/testing"
import { createKey } from "@effect-identity/token-server/internal/http/AdministrationRoutes"
import * as Server from "@effect-identity/token-server/internal/http/Server"
import * as ApiKeyStore from "@effect-identity/token-server/internal/store/ApiKeyStore"
import * as AuditStore from "@effect-identity/token-server/internal/store/AuditStore"
import * as BudgetStore from "@effect-identity/token-server/internal/store/BudgetStore"
import * as RealmStore from "@effect-identity/token-server/internal/store/RealmStore"
import * as SecretStore from "@effect-identity/token-server/internal/store/SecretStore"
import * as TokenStore from "@effect-identity/token-server/internal/store/TokenStore"
import * as TokenEngine from "@effect-identity/token-server/internal/tokens/TokenEngine"
import * as Egress from "@effect-identity/token-server/internal/upstream/Egress"
import * as Requests from "@effect-identity/token-server/internal/upstream/Requests"
import { Context, Effect, Layer, Redacted, type Scope } from "effect"
import { SecureRandom } from "effect/crypto"
import * as Http from "node:http"
import * as Database from "./Database.ts"
import * as Stores from "./store/Stores.ts"

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
  readonly key: (
    role: ApiKeyStore.Role,
    realms?: "*" | ReadonlyArray<string>,
    expiresAt?: number
  ) => Effect.Effect<string>
}

/** The stores on a database, and upstreams that are connected to: all of it as in a server that runs. */
export const real = TokenEngine.layer.pipe(
  Layer.provide(Requests.layer),
  Layer.provide(Egress.layer()),
  Layer.provide(SecureRandom.layerWebCrypto),
  Layer.provideMerge(Layer.mergeAll(
    ApiKeyStore.layer,
    AuditStore.layer,
    BudgetStore.layer,
    RealmStore.layer,
    SecretStore.layer,
    TokenStore.layer
  )),
  Layer.provideMerge(Stores.ring),
  Layer.provideMerge(Database.layer),
  Layer.orDie
)

/** Starts a server, on stores that are given or on its own. */
export const start = Effect.fnUntraced(function*(
  services: Layer.Layer<Server.Services> = real
): Effect.fn.Return<Running, never, Scope.Scope> {
  const context = yield* Layer.build(Layer.fresh(services))
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

/** WeChat on loopback, and the realm and secret that get tokens from it. */
export const upstream = Effect.map(Layer.build(Layer.fresh(WeChat.layer())), (context) => {
  const weChat = Context.get(context, WeChat.WeChat)
  return {
    weChat,
    config: { preset: "wechat", url: weChat.tokenUrl, private_addresses: [new URL(weChat.origin).host] },
    values: { key_1: weChat.appId, key_2: weChat.appSecret }
  }
})
