/**
 * What a server answers before it has its database: that it runs, that it is not ready, and why.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Scope from "effect/Scope"
import type * as Http from "node:http"
import * as Problem from "../../Problem.ts"
import * as Answers from "../http/Answers.ts"
import * as Guard from "../http/Guard.ts"
import type { Drain } from "./Drain.ts"
import * as Health from "./Health.ts"

const isAboutHealth = (url: string): boolean => /^\/(?:healthz|readyz)(?:\?|$)/.test(url)

const unavailable = Answers.toResponse(Problem.make("store_unavailable", { retry_after: 1 }))

/** Answers until somebody else begins to answer the requests of this server. */
export const serve = Effect.fnUntraced(function*(
  server: Http.Server
): Effect.fn.Return<void, never, Drain | Health.Readiness | Scope.Scope> {
  const scope = yield* Scope.Scope
  const health = yield* HttpRouter.toHttpEffect(Health.layer)
  const app = Effect.flatMap(
    HttpServerRequest.HttpServerRequest,
    ({ method, url }) => method === "GET" && isAboutHealth(url) ? health : Effect.succeed(unavailable)
  )
  const handler = yield* NodeHttpServer.makeHandler(
    Effect.map(Answers.answering(app), (response) => HttpServerResponse.setHeaders(response, Guard.headers)),
    { scope }
  )
  const leave = (event: string | symbol) => {
    if (event !== "request") return
    server.off("request", handler)
    server.off("newListener", leave)
  }
  server.on("request", handler)
  // Every request is answered by one of them: this is told right before the other one is added.
  server.on("newListener", leave)
})
