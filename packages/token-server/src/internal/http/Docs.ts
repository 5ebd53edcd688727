/**
 * The page that explains the API, from this server alone. Its scripts stand in it, so it has a policy of its own: they are
 * allowed by their digests, and it may speak to nobody but this server.
 */
import * as Effect from "effect/Effect"
import * as HttpApiScalar from "effect/http-api/HttpApiScalar"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as Layer from "effect/Layer"
import { hash } from "node:crypto"
import { Api } from "../../Api.ts"

export const path = "/docs"

/** What Scalar writes, from a router that nobody else sees. */
const page = Effect.gen(function*() {
  const app = yield* HttpRouter.toHttpEffect(HttpApiScalar.layer(Api, { path, scalar: { withDefaultFonts: false } }))
  const response = yield* Effect.provideService(
    app,
    HttpServerRequest.HttpServerRequest,
    HttpServerRequest.fromWeb(new Request(`http://localhost${path}`))
  )
  return yield* Effect.promise(() => HttpServerResponse.toWeb(response).text())
}).pipe(Effect.scoped, Effect.orDie)

const policyOf = (html: string): string => {
  const digests = [...html.matchAll(/<script[^>]*>([\s\S]*?)<\/script>/g)].map(([, script = ""]) =>
    `'sha256-${hash("sha256", script, "base64")}'`
  )
  return [
    "default-src 'none'",
    `script-src ${digests.join(" ")}`,
    "style-src 'unsafe-inline'",
    "img-src data:",
    "font-src data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'"
  ].join("; ")
}

/** Made when it is first asked for: it is some megabytes. */
export const layer: Layer.Layer<never, never, HttpRouter.HttpRouter> = HttpRouter.use(Effect.fnUntraced(
  function*(router) {
    const answer = yield* Effect.cached(
      Effect.map(
        page,
        (html) =>
          HttpServerResponse.html(html).pipe(HttpServerResponse.setHeader("content-security-policy", policyOf(html)))
      )
    )
    yield* router.add("GET", path, answer)
  }
))
