/**
 * How long requests take, by the conventions of OpenTelemetry: `http.server.request.duration`, in seconds.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type * as Http from "node:http"

const duration = Metric.histogram("http.server.request.duration", {
  description: "Seconds from the head of a request to the end of its answer",
  boundaries: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  attributes: { unit: "s" }
})

const active = Metric.gauge("http.server.active_requests", { description: "Requests that are being answered" })

const exact = new Set([
  "/healthz",
  "/readyz",
  "/metrics",
  "/api/token",
  "/api/token/report",
  "/api/realm",
  "/api/secret",
  "/api/key",
  "/api/audit",
  "/api/presets"
])

const templates: ReadonlyArray<readonly [RegExp, string]> = [
  [/^\/api\/realm\/[^/]+$/, "/api/realm/:id"],
  [/^\/api\/secret\/[^/]+\/[^/]+$/, "/api/secret/:realm/:key"],
  [/^\/api\/key\/[^/]+$/, "/api/key/:id"]
]

/** The route as it is declared: what callers write in an address becomes no name of a series. */
const routeOf = (target: string): string => {
  const end = target.indexOf("?")
  const path = end === -1 ? target : target.slice(0, end)
  return exact.has(path) ? path : templates.find(([pattern]) => pattern.test(path))?.[1] ?? "other"
}

const methods = new Set(["GET", "POST", "DELETE", "HEAD", "PUT", "PATCH", "OPTIONS"])

/** Counts what a server answers, from before it listens. */
export const watch = (server: Http.Server): Effect.Effect<void> =>
  Effect.gen(function*() {
    const context = yield* Effect.context<never>()
    const clock = yield* Clock.Clock
    const series = new Map<string, Metric.Metric<number, unknown>>()
    let underWay = 0

    const seriesOf = (method: string, route: string, status: number) => {
      const name = `${method} ${route} ${status}`
      const known = series.get(name)
      if (known !== undefined) return known
      const made = Metric.withAttributes(duration, {
        "http.request.method": method,
        "http.route": route,
        "http.response.status_code": String(status)
      })
      series.set(name, made)
      return made
    }

    server.prependListener("request", (request, answer) => {
      const begun = clock.currentTimeNanosUnsafe()
      active.updateUnsafe(++underWay, context)
      answer.once("close", () => {
        const method = methods.has(request.method ?? "") ? request.method ?? "" : "_OTHER"
        const route = routeOf(request.url ?? "")
        // 499 is what proxies call a request whose client has gone.
        const status = answer.writableFinished ? answer.statusCode : 499
        const seconds = Number(clock.currentTimeNanosUnsafe() - begun) / 1e9
        seriesOf(method, route, status).updateUnsafe(seconds, context)
        active.updateUnsafe(--underWay, context)
      })
    })
  })
