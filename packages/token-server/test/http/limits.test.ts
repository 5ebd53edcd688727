import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { connect } from "node:net"
import { gzipSync } from "node:zlib"
import * as Server from "../Server.ts"

const start = Effect.gen(function*() {
  const server = yield* Server.start()
  const admin = yield* server.key("admin")
  const post = (body: unknown, headers: Readonly<Record<string, string>> = {}) =>
    server.send({ method: "POST", path: "/api/realm", key: admin, headers, body })
  return { ...server, admin, post }
})

/** Everything that a server writes to a connection until it ends it. */
const raw = (port: number, text: string, more: (write: (text: string) => boolean) => void = () => {}) =>
  Effect.promise(() => {
    const { promise, resolve } = Promise.withResolvers<string>()
    const socket = connect(port, "127.0.0.1")
    let received = ""
    socket.setEncoding("utf8").on("data", (chunk: string) => received += chunk)
    socket.on("error", () => resolve(received)).on("close", () => resolve(received))
    socket.write(text)
    more((text) => !socket.destroyed && socket.write(text))
    return promise
  })

const issues = ({ json }: Server.Answer): unknown => (json as { readonly issues?: unknown }).issues

describe("lists", () => {
  it.live("refuse pages that are none, and name field and rule", () =>
    Effect.gen(function*() {
      const { admin, send } = yield* start
      for (const path of ["/api/realm", "/api/secret", "/api/key", "/api/audit"]) {
        for (const page of ["-1", "0", "1e9", "NaN", "1.5", "Infinity", "", "x'--"]) {
          const answer = yield* send({ path: `${path}?page=${page}`, key: admin })
          assert.strictEqual(answer.status, 400, answer.text)
          assert.deepEqual(issues(answer), [{ name: "page", rule: "must be a whole number from 1 to 1000000" }])
        }
        for (const size of ["0", "101", "-5", "NaN"]) {
          const answer = yield* send({ path: `${path}?pageSize=${size}`, key: admin })
          assert.strictEqual(answer.status, 400, answer.text)
          assert.deepEqual(issues(answer), [{ name: "pageSize", rule: "must be a whole number from 1 to 100" }])
        }
        assert.strictEqual((yield* send({ path: `${path}?page=2&pageSize=100`, key: admin })).status, 200)
        assert.strictEqual((yield* send({ path: `${path}?__proto__=1`, key: admin })).status, 400)
        assert.strictEqual((yield* send({ path: `${path}?page=1&page=2`, key: admin })).status, 400)
      }
    }).pipe(Effect.scoped))
})

describe("bodies", () => {
  it.live("are refused when they are too long, counted while they come", () =>
    Effect.gen(function*() {
      const { admin, port, post } = yield* start
      const told = yield* post("{}", { "content-length": String(1024 ** 3) }).pipe(Effect.timeout("5 seconds"))
      assert.strictEqual(told.status, 413)
      assert.strictEqual((yield* post(JSON.stringify({ id: "a".repeat(70_000) }))).status, 413)

      const head = `POST /api/realm HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${admin}\r\n`
        + "content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
      const endless = yield* raw(port, head, (write) => {
        const chunk = `1000\r\n${"[".repeat(4096)}\r\n`
        const go = () => {
          if (write(chunk)) setImmediate(go)
        }
        go()
      })
      assert.match(endless, /^HTTP\/1\.1 413 /)
    }).pipe(Effect.scoped))

  it.effect("are refused when they take too long", () =>
    Effect.gen(function*() {
      const { admin, port, server } = yield* start
      const arrived = Promise.withResolvers<void>()
      server.once("request", () => setImmediate(arrived.resolve))
      const head = `POST /api/realm HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${admin}\r\n`
        + "content-type: application/json\r\ncontent-length: 100\r\nconnection: close\r\n\r\n{\"id\""
      const answer = yield* Effect.forkChild(raw(port, head))
      yield* Effect.promise(() => arrived.promise)
      yield* TestClock.adjust("10 seconds")
      assert.match(yield* Fiber.join(answer), /^HTTP\/1\.1 408 /)
    }).pipe(Effect.scoped))

  it.live("are refused in any other type or encoding", () =>
    Effect.gen(function*() {
      const { post, send, admin } = yield* start
      const body = JSON.stringify({ id: "a", config: { preset: "wecom" } })
      for (const encoding of ["gzip", "br", "deflate", "gzip, gzip", "x"]) {
        const answer = yield* post(body, { "content-encoding": encoding })
        assert.strictEqual(answer.status, 415, encoding)
      }
      const bomb = gzipSync("[".repeat(1_000_000)).toString("latin1")
      assert.strictEqual((yield* post(bomb, { "content-encoding": "gzip" })).status, 415)
      for (
        const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonx"]
      ) {
        assert.strictEqual((yield* post(body, { "content-type": type })).status, 415, type)
      }
      assert.strictEqual((yield* post(body, { "content-type": "application/json; charset=utf-8" })).status, 200)
      const withBody = yield* send({ path: "/api/realm", key: admin, body: "{}" })
      assert.strictEqual(withBody.status, 400)
    }).pipe(Effect.scoped))

  it.live("are refused when they mean different things to different readers", () =>
    Effect.gen(function*() {
      const { post } = yield* start
      const rules: ReadonlyArray<readonly [string, string]> = [
        ["", "must be JSON in UTF-8"],
        ["{", "must be JSON in UTF-8"],
        ["{\"id\":\"a\"} x", "must be JSON in UTF-8"],
        ["[".repeat(60_000), "must be at most 32 levels deep"],
        [`{"id":"a","config":${"{\"a\":".repeat(32)}1${"}".repeat(32)}}`, "must be at most 32 levels deep"],
        ["{\"id\":\"a\",\"id\":\"b\"}", "must not have a field twice"],
        ["{\"id\":\"a\",\"config\":{\"url\":1,\"\\u0075rl\":2}}", "must not have a field twice"],
        ["{\"__proto__\":{\"role\":\"admin\"}}", "must not have a field __proto__"],
        ["{\"id\":\"a\",\"config\":[{\"\\u005f_proto__\":1}]}", "must not have a field __proto__"]
      ]
      for (const [body, rule] of rules) {
        const answer = yield* post(body)
        assert.strictEqual(answer.status, 400, answer.text)
        assert.deepEqual(issues(answer), [{ name: "body", rule }])
      }
    }).pipe(Effect.scoped))

  it.live("name every field that breaks a rule, and quote nothing", () =>
    Effect.gen(function*() {
      const { post, send, admin } = yield* start
      const realm = yield* post({ id: "../x", config: {}, colour: "hunter2-hunter2" })
      assert.strictEqual(realm.status, 400)
      assert.sameMembers((issues(realm) as Array<{ name: string }>).map(({ name }) => name), ["id", "colour"])
      const config = yield* post({
        id: "a",
        config: { url: "http://169.254.169.254/", arguments: [], token_path: "t" }
      })
      assert.strictEqual(config.status, 400)
      assert.include(config.text, "config.url")
      const secret = yield* send({
        method: "POST",
        path: "/api/secret",
        key: admin,
        body: { realm: "a", key: "b", key_1: ["hunter2-hunter2"], "hunter2 hunter2": 1 }
      })
      assert.strictEqual(secret.status, 400)
      for (const { text } of [realm, secret]) assert.notInclude(text, "hunter2")
    }).pipe(Effect.scoped))
})

describe("requests", () => {
  it.live("that cannot be read get a problem as well", () =>
    Effect.gen(function*() {
      const { port } = yield* start
      const nonsense = yield* raw(port, "hello\r\n\r\n")
      assert.match(nonsense, /^HTTP\/1\.1 400 [\s\S]*application\/problem\+json[\s\S]*"code":"invalid_request"/)
      const large = yield* raw(port, `GET / HTTP/1.1\r\nhost: a\r\nx: ${"a".repeat(20_000)}\r\n\r\n`)
      assert.match(large, /^HTTP\/1\.1 431 [\s\S]*"code":"headers_too_large"/)
      const smuggled = yield* raw(
        port,
        "POST /api/realm HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"
      )
      assert.match(smuggled, /^HTTP\/1\.1 400 /)
    }).pipe(Effect.scoped))
})
