/**
 * What every request has to get past before any route sees it, and what every answer carries.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Headers from "effect/http/Headers"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Problem from "../../Problem.ts"
import * as Answers from "./Answers.ts"
import * as Body from "./Body.ts"
import type { Found, RouteTable } from "./RouteTable.ts"

/** On every answer: nobody stores it, frames it, guesses its type, or reads it from another origin. */
export const headers = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff"
} as const

/** Whether a browser sends it for a page of another origin: the browser says so, and pages cannot change what it says. */
const isCrossSite = ({ host, origin, "sec-fetch-site": site }: Headers.Headers): boolean =>
  (site !== undefined && site !== "same-origin" && site !== "none")
  || (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`)

const changes = (method: string, query: string): boolean =>
  method !== "GET" || new URLSearchParams(query).getAll("flush").some((flush) => flush !== "false")

const notAllowed = (methods: ReadonlySet<string>) =>
  HttpServerResponse.setHeader(
    Answers.toResponse(Problem.make("method_not_allowed")),
    "allow",
    [...methods].toSorted().join(", ")
  )

/** Lets a request in whose route is known. */
const enter = <E, R>(
  { methods }: Found,
  query: string,
  app: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>
) =>
  Effect.gen(function*() {
    const request = yield* HttpServerRequest.HttpServerRequest
    if (!methods.has(request.method)) return notAllowed(methods)
    if (changes(request.method, query) && isCrossSite(request.headers)) {
      return yield* Problem.make("cross_site", { detail: "a page of another origin may not change anything here" })
    }
    if (request.method !== "POST") {
      yield* Body.none(request)
      return yield* app
    }
    return yield* Effect.provideService(app, HttpServerRequest.HttpServerRequest, yield* Body.json(request))
  })

const methodNames = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])

/** In a span of the server that has the route in it and not the address, and ends with nothing of the answer. */
const observed = Effect.fnUntraced(function*<R>(
  given: string,
  route: string | undefined,
  answer: Effect.Effect<HttpServerResponse.HttpServerResponse, never, R>
) {
  const method = methodNames.has(given) ? given : "_OTHER"
  const answered = yield* Deferred.make<HttpServerResponse.HttpServerResponse>()
  yield* answer.pipe(
    Effect.tap(({ status }) => Effect.annotateCurrentSpan("http.response.status_code", status)),
    Effect.flatMap((response) => Deferred.succeed(answered, response)),
    Effect.asVoid,
    Effect.withSpan(route === undefined ? method : `${method} ${route}`, {
      kind: "server",
      attributes: { "http.request.method": method, ...(route !== undefined && { "http.route": route }) }
    })
  )
  return yield* Deferred.await(answered)
})

/** The app behind the guard. Its own policy stays on an answer that has one. */
export const guarded = <E, R>(
  table: RouteTable,
  app: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>
) =>
  Effect.gen(function*() {
    const { method, url } = yield* HttpServerRequest.HttpServerRequest
    const [path = "", query = ""] = url.split("?", 2)
    const found = table.find(path)
    const answer = found === undefined ? Effect.fail(Problem.make("not_found")) : enter(found, query, app)
    const response = yield* observed(method, found?.path, Answers.answering(answer))
    return HttpServerResponse.setHeaders(response, { ...headers, ...response.headers })
  })
