import { NodeHttpAgent, NodeHttpClient } from "@effect-identity/workload-identity/node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { HttpClient, type HttpClientError, HttpClientRequest, UrlParams } from "effect/http"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import { inspect } from "node:util"
import { serving } from "./ByteServer.ts"

const answering = (body: string, head = "content-type: text/plain\r\n") =>
  serving(`HTTP/1.1 200 OK\r\n${head}content-length: ${body.length}\r\n\r\n${body}`)

const makeClient = Effect.gen(function*() {
  const agents = yield* NodeHttpAgent.make(NodeHttpAgent.direct(1_000))
  return NodeHttpClient.make({ usual: agents, quiet: agents })
})

const reasonOf = ({ reason }: HttpClientError.HttpClientError) => reason._tag

describe("NodeHttpClient", () => {
  it.live("gives an answer as bytes, text, JSON, form and stream", () =>
    Effect.gen(function*() {
      const client = yield* makeClient
      const json = yield* answering("{\"a\":1}", "x-request-id: r-1\r\n")
      const response = yield* client.get(json.origin)
      assert.strictEqual(response.status, 200)
      assert.strictEqual(response.headers["x-request-id"], "r-1")
      assert.deepStrictEqual(yield* response.json, { a: 1 })
      assert.strictEqual(yield* Effect.flatMap(client.get(json.origin), ({ text }) => text), "{\"a\":1}")
      const bytes = yield* Effect.flatMap(client.get(json.origin), ({ arrayBuffer }) => arrayBuffer)
      assert.strictEqual(bytes.byteLength, 7)
      const pieces = yield* Effect.flatMap(client.get(json.origin), ({ stream }) => Stream.runCollect(stream))
      assert.strictEqual(Buffer.concat(pieces).toString(), "{\"a\":1}")
      const form = yield* answering("a=1&b=x%20y")
      const fields = yield* Effect.flatMap(client.get(form.origin), ({ urlParamsBody }) => urlParamsBody)
      assert.deepStrictEqual(UrlParams.toRecord(fields), { a: "1", b: "x y" })
      assert.lengthOf(json.connections, 1)
    }))

  it.live("gives an answer to everyone who reads it", () =>
    Effect.gen(function*() {
      const response = yield* Effect.flatMap(makeClient, (client) =>
        Effect.flatMap(answering("{\"a\":1}"), ({ origin }) => client.get(origin)))
      const both = Effect.all([response.text, response.json], { concurrency: "unbounded" })
      assert.deepStrictEqual(yield* both, ["{\"a\":1}", { a: 1 }])
      assert.deepStrictEqual(yield* both, ["{\"a\":1}", { a: 1 }])
    }))

  it.live("says what is wrong with a text that is no JSON, with a form that has files and with an upgrade", () =>
    Effect.gen(function*() {
      const client = yield* makeClient
      const { origin } = yield* answering("no json")
      const failing = (
        read: (response: HttpClientResponse) => Effect.Effect<unknown, HttpClientError.HttpClientError>
      ) => Effect.map(Effect.flip(Effect.asVoid(Effect.flatMap(client.get(origin), read))), reasonOf)
      assert.strictEqual(yield* failing(({ json }) => json), "DecodeError")
      const error = yield* Effect.flip(Effect.flatMap(client.get(origin), ({ json }) => json))
      // The parser quotes what it cannot read, and that may be a token.
      assert.notInclude(inspect(error, { depth: 10 }), "no json")
      assert.strictEqual(yield* failing(({ formData }) => formData), "DecodeError")
      assert.strictEqual(yield* failing(({ upgrade }) => upgrade), "StatusCodeError")
    }))

  it.live("sends what is there as a whole, and refuses anything else before it connects", () =>
    Effect.gen(function*() {
      const client = yield* makeClient
      const server = yield* answering("fine")
      const post = HttpClientRequest.post(server.origin)
      const form = HttpClientRequest.bodyUrlParams(post, { grant_type: "client_credentials" })
      yield* Effect.flatMap(client.execute(form), ({ text }) => text)
      assert.match(server.connections[0]?.text ?? "", /^POST \/ HTTP.*\r\n\r\ngrant_type=client_credentials$/s)
      for (
        const request of [
          HttpClientRequest.bodyStream(post, Stream.make(new Uint8Array(3))),
          HttpClientRequest.bodyFormData(post, new FormData())
        ]
      ) assert.strictEqual(reasonOf(yield* Effect.flip(client.execute(request))), "EncodeError")
      assert.strictEqual(reasonOf(yield* Effect.flip(client.get("not a url"))), "InvalidUrlError")
      const unsendable = HttpClientRequest.setHeader(post, "authorization", "Bearer \u0000secret")
      const error = yield* Effect.flip(client.execute(unsendable))
      assert.strictEqual(reasonOf(error), "TransportError")
      assert.notInclude(JSON.stringify(error), "secret")
      assert.lengthOf(server.connections, 1)
    }))

  it.live("keeps a connection whose answer was read, and ends one whose answer was not when the scope ends", () =>
    Effect.gen(function*() {
      const client = HttpClient.withScope(yield* makeClient)
      const server = yield* answering("fine")
      for (let nth = 0; nth < 3; nth++) {
        yield* Effect.scoped(Effect.flatMap(client.get(server.origin), ({ text }) => text))
      }
      assert.lengthOf(server.connections, 1)
      yield* Effect.scoped(client.get(server.origin))
      yield* Effect.promise(async () => server.connections[0]?.closed)
    }))

  it.live("hangs up when nobody waits any more, before an answer and while it is read", () =>
    Effect.gen(function*() {
      const client = HttpClient.withScope(yield* makeClient)
      const mute = yield* serving("")
      const waiting = yield* Effect.forkChild(Effect.scoped(client.get(mute.origin)), { startImmediately: true })
      yield* Effect.promise(() => mute.asked)
      yield* Fiber.interrupt(waiting)
      yield* Effect.promise(async () => mute.connections[0]?.closed)
      const slow = yield* serving("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc")
      const reading = yield* Effect.forkChild(
        Effect.scoped(Effect.flatMap(client.get(slow.origin), ({ text }) => text)),
        { startImmediately: true }
      )
      yield* Effect.promise(() => slow.asked)
      yield* Fiber.interrupt(reading)
      yield* Effect.promise(async () => slow.connections[0]?.closed)
    }))

  it.live("fails when the other side switches protocols, and when it hangs up instead of an answer", () =>
    Effect.gen(function*() {
      const client = yield* makeClient
      const switching = yield* serving("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n")
      assert.strictEqual(reasonOf(yield* Effect.flip(client.get(switching.origin))), "TransportError")
      const leaving = yield* serving("", (socket) => socket.destroy())
      assert.strictEqual(reasonOf(yield* Effect.flip(client.get(leaving.origin))), "TransportError")
    }))
})
