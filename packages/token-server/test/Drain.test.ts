import * as Drain from "@effect-identity/token-server/internal/operation/Drain"
import * as Health from "@effect-identity/token-server/internal/operation/Health"
import * as Listening from "@effect-identity/token-server/internal/operation/Listening"
import { NodeHttpServer } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer, Scope } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { Agent, createServer, request } from "node:http"
import { connect } from "node:net"

/** A server with one slow route, which tells when it was asked and answers when it may. */
const start = Effect.fnUntraced(function*(mayAnswer: Deferred.Deferred<void>) {
  const scope = yield* Scope.make()
  const asked = yield* Deferred.make<void>()
  const server = createServer()
  const drain = yield* Drain.make(server)
  const slow = HttpRouter.add(
    "GET",
    "/slow",
    Effect.andThen(
      Deferred.succeed(asked, undefined),
      Effect.as(Deferred.await(mayAnswer), HttpServerResponse.text("done"))
    )
  )
  const origin = yield* Effect.gen(function*() {
    const app = yield* HttpRouter.toHttpEffect(Layer.merge(slow, Health.layer))
    // Of its own, and closed after the other: what is under way ends with it.
    const works = yield* Scope.fork(scope)
    server.on("request", yield* NodeHttpServer.makeHandler(app, { scope: works }))
    return yield* Listening.make(server, { drain, host: "127.0.0.1", port: 0 })
  }).pipe(
    Effect.provideService(Drain.Drain, drain),
    Effect.provideService(Health.Readiness, Effect.succeed([])),
    Scope.provide(scope)
  )
  return { origin, asked, close: Scope.close(scope, Exit.void) }
})

interface Answer {
  readonly status: number | undefined
  readonly connection: string | undefined
  readonly text: string
}

const get = (url: string, agent: Agent) =>
  Effect.callback<Answer, string>((resume) => {
    const sent = request(url, { agent }, (response) => {
      let text = ""
      response.setEncoding("utf8").on("data", (chunk) => text += chunk).on("end", () =>
        resume(Effect.succeed({ status: response.statusCode, connection: response.headers.connection, text })))
    })
    sent.on("error", (error) =>
      resume(Effect.fail("code" in error ? String(error.code) : error.message)))
    sent.end()
  })

const agent = Effect.acquireRelease(
  Effect.sync(() => new Agent({ keepAlive: true, maxSockets: 1 })),
  (agent) => Effect.sync(() => agent.destroy())
)

describe("Drain", () => {
  it.live("answers what was asked before and what is asked meanwhile, says so, and is gone then", () =>
    Effect.gen(function*() {
      const mayAnswer = yield* Deferred.make<void>()
      const server = yield* start(mayAnswer)
      const [before, meanwhile] = [yield* agent, yield* agent]
      assert.include(yield* get(`${server.origin}/readyz`, meanwhile), { status: 200, connection: "keep-alive" })

      const slow = yield* Effect.forkChild(get(`${server.origin}/slow`, before))
      yield* Deferred.await(server.asked)
      const closing = yield* Effect.forkChild(server.close)
      yield* Effect.yieldNow
      assert.deepStrictEqual(yield* get(`${server.origin}/readyz`, meanwhile), {
        status: 503,
        connection: "close",
        text: JSON.stringify({ status: "not ready", reasons: ["draining"] })
      })
      yield* Deferred.succeed(mayAnswer, undefined)
      assert.deepStrictEqual(yield* Fiber.join(slow), { status: 200, connection: "close", text: "done" })
      yield* Fiber.join(closing)
      assert.strictEqual(yield* Effect.flip(get(`${server.origin}/healthz`, meanwhile)), "ECONNREFUSED")
    }).pipe(Effect.scoped))

  it.live("waits for nobody who holds a connection and asks nothing", () =>
    Effect.gen(function*() {
      const server = yield* start(yield* Deferred.make<void>())
      const { hostname, port } = new URL(server.origin)
      const socket = connect(Number(port), hostname)
      const closed = new Promise((resolve) => socket.once("close", resolve))
      yield* Effect.promise(() => new Promise<void>((resolve) => socket.once("connect", resolve)))
      socket.write("GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n")
      yield* Effect.promise(() => new Promise((resolve) => socket.once("data", resolve)))
      yield* server.close
      yield* Effect.promise(() => closed)
    }))
})
