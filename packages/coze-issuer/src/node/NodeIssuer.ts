/**
 * The issuer as a server on Node.
 *
 * @since 0.1.0
 */
import * as Callers from "@effect-identity/coze-issuer/Callers"
import type { ConfigurationError } from "@effect-identity/coze-issuer/ConfigurationError"
import * as CozeApp from "@effect-identity/coze-issuer/CozeApp"
import * as CozeAppConfig from "@effect-identity/coze-issuer/CozeAppConfig"
import * as Environment from "@effect-identity/coze-issuer/Environment"
import * as Issuer from "@effect-identity/coze-issuer/Issuer"
import { Problem } from "@effect-identity/coze-issuer/Problem"
import * as TokenCache from "@effect-identity/oauth/TokenCache"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import { constTrue } from "effect/Function"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as HttpServer from "effect/http/HttpServer"
import type { ServeError } from "effect/http/HttpServerError"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import { createServer } from "node:http"
import * as NodeEnvironment from "./NodeEnvironment.ts"

const unreadable = Issuer.fromProblem(new Problem({ code: "invalid_request", detail: "the request cannot be read" }))

const handle = (issuer: Issuer.Issuer["Service"]) =>
  Effect.gen(function*() {
    const request = yield* HttpServerRequest.toWeb(yield* HttpServerRequest.HttpServerRequest)
    // The server runs handlers uninterruptibly; this lets a token be given up when its last caller has gone.
    return yield* Effect.interruptible(issuer.handle(request))
  }).pipe(
    Effect.orElseSucceed(() => unreadable),
    Effect.map(({ body, headers, status }) => {
      const { "content-type": contentType, ...others } = headers
      return HttpServerResponse.text(body, { status, headers: others, contentType })
    })
  )

/** No request for a token takes longer to arrive. */
const limits = { headersTimeout: 10_000, requestTimeout: 20_000 }

/**
 * Serves the issuer that is described, on whatever server there is.
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layerServer: Layer.Layer<never, never, Issuer.Issuer | HttpServer.HttpServer> = Layer.unwrap(
  Effect.map(Issuer.Issuer, (issuer) => HttpServer.serve(handle(issuer)))
).pipe(
  // A span of the server has the address in it, where some callers write their keys, and the answer with the token.
  Layer.provide(Layer.succeed(HttpMiddleware.TracerDisabledWhen, constTrue))
)

/**
 * The issuer that the environment describes, listening where it says, with a cache of its own. Fails with
 * `ConfigurationError` that lists everything that is wrong, and with `ServeError` where it cannot listen.
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<HttpServer.HttpServer, ConfigurationError | ServeError> = Layer.unwrap(
  Effect.gen(function*() {
    const { host, port, variables } = yield* NodeEnvironment.read
    const { app, callers } = yield* Environment.read(variables)
    return layerServer.pipe(
      Layer.provide(Issuer.layer),
      Layer.provide(CozeApp.layer),
      Layer.provide(NodeHttpClient.layerNodeHttp),
      Layer.provide(TokenCache.layerLocal()),
      Layer.provide(Layer.succeed(CozeAppConfig.CozeAppConfig, app)),
      Layer.provide(Layer.succeed(Callers.Callers, callers)),
      HttpServer.withLogAddress,
      Layer.provideMerge(NodeHttpServer.layerServer(() => createServer(limits), { host, port }))
    )
  })
)
