/**
 * The API on a server of Node.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import { constTrue } from "effect/Function"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Http from "node:http"
import { Api } from "../../Api.ts"
import type { ApiKeyStore } from "../store/ApiKeyStore.ts"
import type { AuditStore } from "../store/AuditStore.ts"
import type { KeyRing } from "../store/KeyRing.ts"
import type { RealmStore } from "../store/RealmStore.ts"
import type { SecretStore } from "../store/SecretStore.ts"
import type { Tokens } from "../tokens/Tokens.ts"
import * as AdministrationRoutes from "./AdministrationRoutes.ts"
import * as Answers from "./Answers.ts"
import * as Authorization from "./Authorization.ts"
import * as Callers from "./Callers.ts"
import * as Changes from "./Changes.ts"
import * as Docs from "./Docs.ts"
import * as FastLane from "./FastLane.ts"
import * as Guard from "./Guard.ts"
import * as Reads from "./Reads.ts"
import * as RealmRoutes from "./RealmRoutes.ts"
import * as RouteTable from "./RouteTable.ts"
import * as SecretRoutes from "./SecretRoutes.ts"
import * as TokenRoutes from "./TokenRoutes.ts"
import * as Unreadable from "./Unreadable.ts"

export type Services = ApiKeyStore | AuditStore | KeyRing | RealmStore | SecretStore | Tokens

/** Limits of the server itself: nobody may take long to say little, or say much. */
const limits = {
  headersTimeout: 10_000,
  requestTimeout: 20_000,
  connectionsCheckingInterval: 2000,
  keepAliveTimeout: 65_000,
  maxHeaderSize: 16 * 1024
}

/** A server with the limits, not listening yet. */
export const createServer = Effect.sync(() => {
  const server = Http.createServer(limits)
  server.maxConnections = 10_000
  server.maxHeadersCount = 100
  server.on("clientError", Unreadable.answer)
  return server
})

/** Routes beside those of the API, and which they are: no request gets to a path that is not named. */
export interface Beside {
  readonly routes: ReadonlyArray<RouteTable.Route>
  readonly layer: Layer.Layer<never, never, HttpRouter.HttpRouter>
}

const openApiPath = "/api/openapi.json"

const layerApi = HttpApiBuilder.layer(Api, { openapiPath: openApiPath }).pipe(
  Layer.provide([
    TokenRoutes.layer,
    RealmRoutes.layer,
    SecretRoutes.layer,
    AdministrationRoutes.layerApiKeys,
    AdministrationRoutes.layerAudit
  ]),
  Layer.provide([Authorization.layer, Answers.layer, Changes.layer])
)

/** Serves the API, and what stands beside it, on a server that is given, until the scope closes. */
export const serve = Effect.fnUntraced(function*(
  server: Http.Server,
  beside: Beside = { routes: [], layer: Layer.empty }
): Effect.fn.Return<void, never, Scope.Scope | Services> {
  const scope = yield* Scope.Scope
  const own = yield* Layer.build(Layer.mergeAll(Callers.layer, Reads.layer))
  const table = RouteTable.make([
    ...RouteTable.ofApi(Api),
    { method: "GET", path: openApiPath },
    { method: "GET", path: Docs.path },
    ...beside.routes
  ])
  const app = yield* HttpRouter.toHttpEffect(
    Layer.mergeAll(layerApi, Docs.layer, beside.layer).pipe(Layer.provide(HttpServer.layerServices))
  ).pipe(Effect.provide(own))
  const handler = yield* NodeHttpServer.makeHandler(Guard.guarded(table, app), { scope }).pipe(
    // The spans of the server have whole addresses in them.
    Effect.provideService(HttpMiddleware.TracerDisabledWhen, constTrue)
  )
  const fastLane = yield* Effect.provide(FastLane.make, own)
  const listener: Http.RequestListener = (request, response) => {
    if (!fastLane(request, response)) handler(request, response)
  }
  yield* Effect.acquireRelease(
    Effect.sync(() => server.on("request", listener)),
    () => Effect.sync(() => server.off("request", listener))
  )
})
