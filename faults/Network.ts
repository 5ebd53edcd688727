/**
 * N: connections that fail.
 */
import { Relay } from "@effect-identity/testing"
import { Effect } from "effect"
import * as assert from "node:assert/strict"
import { createServer } from "node:net"
import { setTimeout as wait } from "node:timers/promises"
import * as RawServer from "./RawServer.ts"
import { notHere, row } from "./Row.ts"
import { describe, envAt, failing, failure, identityOf, onPlatform, steps, told, valueOf } from "./Workload.ts"

/** A port that nobody listens on. */
const closedPort = Effect.callback<number>((resume) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const address = server.address()
    server.close(() => resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 1)))
  })
})

/** Every connection ends like this; the error is always the same after three attempts. */
const broken = (expected: string, attempts: number, handler: RawServer.Handler, options = {}) =>
  Effect.gen(function*() {
    const server = yield* RawServer.make(handler)
    const identity = yield* identityOf(envAt(server.origin), options)
    const error = yield* failing(identity.accessToken, expected)
    const requests = server.seen.reduce((sum, connection) => sum + connection.requests, 0)
    assert.equal(requests, attempts)
    yield* RawServer.untilClosed(server.seen)
    return { caller: describe(error), other: `${requests} requests, every connection closed` }
  })

const whole = RawServer.token("token-in-a-broken-answer")

const unanswered = (detail: string, attempts: number, handler: RawServer.Handler) =>
  Effect.gen(function*() {
    const server = yield* RawServer.make(handler)
    const identity = yield* identityOf(envAt(server.origin), { config: { timeout: "900 millis" } })
    const started = performance.now()
    const error = yield* failing(identity.accessToken, `TokenRetrievalError Timeout(${detail})`)
    const millis = performance.now() - started
    assert.ok(millis < 900 + 250, `took ${millis} ms`)
    assert.ok(server.seen.length >= attempts && server.seen.length <= 3)
    yield* RawServer.untilClosed(server.seen)
    return { caller: `${describe(error)} in time`, other: `${server.seen.length} requests, sockets closed` }
  })

export const rows = [
  row(
    "N1",
    "connection refused",
    Effect.gen(function*() {
      const identity = yield* identityOf(envAt(`http://127.0.0.1:${yield* closedPort}`))
      const error = yield* failing(identity.accessToken, "TokenRetrievalError Transport(refused)")
      assert.equal(error.retryable, true)
      return { caller: `${describe(error)}, retryable`, other: "nobody there" }
    })
  ),
  row(
    "N2",
    "reset before any byte",
    Effect.gen(function*() {
      const { platform } = yield* onPlatform()
      const relay = yield* Relay.make(Number(new URL(platform.idTokenEndpoint).port))
      relay.script({ cutAfter: 0 }, { cutAfter: 0 }, { cutAfter: 0 })
      const identity = yield* identityOf(envAt(relay.origin))
      const error = yield* failing(identity.accessToken, "TokenRetrievalError Transport(reset)")
      assert.equal(relay.connections.length, 3)
      return { caller: describe(error), other: "3 connections, 0 bytes of answer" }
    })
  ),
  row(
    "N3",
    "reset in the middle of the body, what came is JSON",
    broken("TokenRetrievalError Transport(reset)", 3, (socket) => {
      socket.write(
        `${RawServer.json}content-length: 9999\r\n\r\n${JSON.stringify(whole)}`,
        () => socket.resetAndDestroy()
      )
    })
  ),
  row(
    "N4",
    "body shorter than Content-Length",
    broken("TokenRetrievalError Transport(reset)", 3, (socket) => {
      socket.end(`${RawServer.json}content-length: 9999\r\n\r\n${JSON.stringify(whole)}`)
    })
  ),
  row(
    "N5",
    "chunked body without its end, complete JSON received",
    broken("TokenRetrievalError Transport(reset)", 3, (socket) => {
      const text = JSON.stringify(whole)
      socket.end(`${RawServer.json}transfer-encoding: chunked\r\n\r\n${text.length.toString(16)}\r\n${text}\r\n`)
    })
  ),
  row("N6", "hang before headers", unanswered("headers", 2, () => {})),
  row(
    "N7",
    "one byte at a time for ever",
    Effect.gen(function*() {
      const server = yield* RawServer.make((socket) => {
        socket.write(`${RawServer.json}content-length: 9999\r\n\r\n`)
        const drip = async () => {
          while (!socket.destroyed) {
            socket.write(" ")
            await wait(20)
          }
        }
        void drip()
      })
      const identity = yield* identityOf(envAt(server.origin), { config: { timeout: "600 millis" } })
      const error = yield* failing(identity.accessToken, "TokenRetrievalError Timeout(total)")
      yield* RawServer.untilClosed(server.seen)
      assert.equal(server.seen.length, 1)
      return { caller: describe(error), other: "1 request, socket closed" }
    })
  ),
  notHere("N8", "SYN dropped", "needs a packet filter: pnpm test:system shows it"),
  row(
    "N9",
    "no such host",
    Effect.gen(function*() {
      const identity = yield* identityOf(envAt("https://nothing.invalid"))
      const error = yield* failure(identity.accessToken)
      // A machine without a resolver says "try again" instead of "no such host".
      assert.match(describe(error), /^TokenRetrievalError Transport\(dns\)$/)
      return { caller: `${describe(error)}, retryable: ${error.retryable}`, other: "nobody there" }
    })
  ),
  row(
    "N11",
    "one of two addresses dead",
    Effect.gen(function*() {
      const { platform } = yield* onPlatform()
      const identity = yield* identityOf(envAt(`http://localhost:${new URL(platform.idTokenEndpoint).port}`))
      yield* identity.accessToken
      return { caller: "a token, through 127.0.0.1", other: told(yield* steps(platform)) }
    })
  ),
  row(
    "N23",
    "keep-alive connection closed by the server while idle",
    Effect.gen(function*() {
      const server = yield* RawServer.make((socket, nth) => {
        socket.write(RawServer.answer(RawServer.token(`token-${nth}`), "connection: keep-alive\r\n"))
        socket.end()
      })
      const identity = yield* identityOf(envAt(server.origin))
      assert.equal(valueOf(yield* identity.accessToken), "token-2")
      assert.deepEqual(server.seen.map(({ requests }) => requests), [1, 1])
      return { caller: "the token", other: "2 connections, 1 request each" }
    })
  ),
  row(
    "N24",
    "an answer nobody asked for on a pooled connection",
    Effect.gen(function*() {
      const server = yield* RawServer.make((socket, nth) => {
        const own = RawServer.answer(RawServer.token(`own-${nth}`), "connection: keep-alive\r\n")
        socket.write(nth === 1 ? own + RawServer.answer(RawServer.token("of-someone-else")) : own)
      })
      const identity = yield* identityOf(envAt(server.origin))
      const token = valueOf(yield* identity.accessToken)
      assert.match(token, /^own-/)
      assert.ok(server.seen.length >= 2, "the connection was used again")
      return { caller: `the token that was asked for (${token})`, other: `${server.seen.length} connections` }
    })
  ),
  row(
    "N25",
    "huge headers; interim answers without end",
    Effect.gen(function*() {
      const huge = yield* RawServer.make((socket) => {
        socket.end(`HTTP/1.1 200 OK\r\nx: ${"a".repeat(200_000)}\r\n\r\n`)
      })
      const first = yield* identityOf(envAt(huge.origin))
      const error = yield* failing(first.accessToken, "TokenRetrievalError InvalidResponse(http)")
      assert.equal(huge.seen.length, 1)
      const endless = yield* RawServer.make((socket) => {
        const more = () => socket.destroyed || socket.write("HTTP/1.1 100 Continue\r\n\r\n", () => setImmediate(more))
        more()
      })
      const second = yield* identityOf(envAt(endless.origin), { config: { timeout: "600 millis" } })
      yield* failing(second.accessToken, "TokenRetrievalError Timeout(headers)")
      return { caller: `${describe(error)}; Timeout(headers)`, other: "1 request; connections closed" }
    })
  )
]
