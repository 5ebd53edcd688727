/**
 * Where the token can be made to go: nowhere but below the base URL.
 */
import { ApiClient, ApiError } from "@effect-identity/api-client"
import { createApiClient } from "@effect-identity/api-client/promise"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { FetchHttpClient, HttpClientRequest } from "effect/http"
import * as fc from "fast-check"
import * as Http from "node:http"
import * as Net from "node:net"
import { failing } from "./Fixture.ts"

const listening = (server: Net.Server) =>
  Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
      })
    }),
    () =>
      Effect.sync(() => {
        if (server instanceof Http.Server) server.closeAllConnections()
        server.close()
      })
  )

/** Somewhere else. It counts connections and bytes. */
const canary = Effect.gen(function*() {
  const seen = { connections: 0, bytes: 0 }
  const server = Net.createServer((socket) => {
    seen.connections++
    socket.on("data", (chunk) => {
      seen.bytes += chunk.length
    }).on("error", () => {})
  })
  return { seen, port: yield* listening(server) }
})

/** An API below `/api/v1` of an origin that has other things, and remembers which paths were shown the token. */
const world = Effect.gen(function*() {
  const shown: Array<string> = []
  const server = Http.createServer((request, response) => {
    const [, status, location] = /\/redirect\?(\d+)&(.*)$/.exec(request.url ?? "") ?? []
    if (status !== undefined) return response.writeHead(Number(status), { location }).end()
    if (request.url === "/oauth2/token") {
      response.setHeader("content-type", "application/json")
      return response.end(JSON.stringify({ access_token: "t0ken", token_type: "Bearer", expires_in: 3600 }))
    }
    if (request.headers.authorization !== undefined) shown.push(request.url ?? "")
    return response.end("{}")
  })
  const origin = `http://127.0.0.1:${yield* listening(server)}`
  const [near, far] = [yield* canary, yield* canary]
  const options = { baseUrl: `${origin}/api/v1/`, tokenEndpoint: `${origin}/oauth2/token`, clientId: "app" }
  const layer = ApiClient.layer({ ...options, clientSecret: Redacted.make("s3cret") })
  const client = yield* Effect.provide(
    ApiClient.ApiClient,
    Layer.succeedContext(yield* Layer.build(Layer.provide(layer, FetchHttpClient.layer)))
  )
  const promised = createApiClient({ ...options, clientSecret: "s3cret", clientId: `app-${origin}` })
  return {
    client,
    clientOf: (tokenEndpoint: string) =>
      createApiClient({ ...options, tokenEndpoint: origin + tokenEndpoint, clientSecret: "s3cret" }),
    promised,
    shown,
    canaries: [near, far],
    host: `127.0.0.1:${near.port}`,
    far: `localhost:${far.port}`
  }
})

const dots = "must not contain dot segments"
const control = "must not contain control characters"
const backslash = "must not contain backslashes"
const scheme = "must not begin with a scheme"
const absolute = "must not be an absolute URL"
const slashes = "must not begin with two slashes"
const blank = "must not contain white space"
const userInfo = "must not begin with user info"
const once = "must be percent-encoded UTF-8, and that once"

const refused: ReadonlyArray<readonly [path: (host: string) => string, rule: string]> = [
  [() => "..", dots],
  [() => "../admin", dots],
  [() => "/../admin", dots],
  [() => "/../../admin", dots],
  [() => "wallets/../../admin", dots],
  [() => "wallets/..", dots],
  [() => "./../admin", dots],
  [() => ".", dots],
  [() => "wallets/./1", dots],
  [() => "%2e%2e/admin", dots],
  [() => "%2E%2E/admin", dots],
  [() => ".%2e/admin", dots],
  [() => "%2e./admin", dots],
  [() => "/%2e%2e%2fadmin", dots],
  [() => "..%2fadmin", dots],
  [() => "..%2Fadmin", dots],
  [() => "%252e%252e/admin", dots],
  [() => "%25252e%25252e/admin", dots],
  [() => "wallets%2f..%2f..%2fadmin", dots],
  [() => "..;/admin", dots],
  [() => "..;a=b/admin", dots],
  [() => "%2e%2e;/admin", dots],
  [() => "\uff0e\uff0e/admin", dots],
  [() => "\u2025/admin", dots],
  [() => "%ef%bc%8e%ef%bc%8e/admin", dots],
  [() => ".. ;/admin", blank],
  [() => "%2e%2e%20/admin", dots],
  [() => "..\\admin", backslash],
  [() => "\\admin", backslash],
  [(host) => `\\\\${host}/`, backslash],
  [(host) => `/\\${host}/`, backslash],
  [(host) => `\\/${host}/`, backslash],
  [() => "..%5cadmin", backslash],
  [() => "wallets%5C1", backslash],
  [() => "wallets?q=a\\b", backslash],
  [(host) => `//${host}/`, slashes],
  [(host) => `///${host}/`, slashes],
  [(host) => `////${host}`, slashes],
  [(host) => `http://${host}/`, absolute],
  [(host) => `HTTP://${host}/`, absolute],
  [(host) => `https://${host}/`, absolute],
  [(host) => `http://user:pass@${host}/`, absolute],
  [(host) => `http:${host}/`, scheme],
  [(host) => `http:/${host}/`, scheme],
  [() => "javascript:alert(1)", scheme],
  [() => "data:text/plain,x", scheme],
  [() => "file:/etc/passwd", scheme],
  [(host) => `:${host.split(":")[1]}/`, scheme],
  [(host) => `@${host}/`, userInfo],
  [() => "user@other.example/", userInfo],
  [(host) => `user:pass@${host}/`, userInfo],
  [(host) => `.evil@${host}`, userInfo],
  [() => "wallets\r\nhost: other.example", control],
  [() => "wallets\n", control],
  [() => "wallets\t1", control],
  [() => "\t//other.example", control],
  [() => "wallets\0", control],
  [() => "/wallets%0d%0ahost:%20other", control],
  [() => "wallets%00", control],
  [() => "wallets%250a", control],
  [() => "wallets\u007f", control],
  [(host) => ` //${host}/`, blank],
  [() => "wallets 1", blank],
  [() => "\u00a0wallets", blank],
  [() => "\ufeffwallets", blank],
  [() => "wallets\u2028", blank],
  [() => "wallets#fragment", "must not contain a fragment"],
  [() => "wallets/%", once],
  [() => "wallets/%zz", once],
  [() => "wallets/%c0%ae%c0%ae/admin", once],
  [() => "wallets/%2525252525252e", once],
  [() => "wallets/\ud800", "must be well-formed Unicode"],
  [() => "a".repeat(8193), "must have at most 8192 characters"]
]

const sent: ReadonlyArray<readonly [path: string, arrives: string]> = [
  ["wallets", "/api/v1/wallets"],
  ["/wallets", "/api/v1/wallets"],
  ["", "/api/v1"],
  ["/", "/api/v1/"],
  ["?page=2", "/api/v1?page=2"],
  ["wallets/", "/api/v1/wallets/"],
  ["wallets//1", "/api/v1/wallets//1"],
  ["wallets/...", "/api/v1/wallets/..."],
  ["wallets/..a", "/api/v1/wallets/..a"],
  ["wallets/a..", "/api/v1/wallets/a.."],
  [".well-known/x", "/api/v1/.well-known/x"],
  ["/users/@me", "/api/v1/users/@me"],
  ["/@me", "/api/v1/@me"],
  ["/wallets:batch", "/api/v1/wallets:batch"],
  ["/http://other.example/", "/api/v1/http://other.example/"],
  ["groups/a%2Fb", "/api/v1/groups/a%2Fb"],
  ["rates/100%25", "/api/v1/rates/100%25"],
  ["carteiras/são", "/api/v1/carteiras/s%C3%A3o"],
  ["wallets?next=../..//x&to=https://a@b/%0d%0a", "/api/v1/wallets?next=../..//x&to=https://a@b/%0d%0a"],
  ["wallets;v=1/x", "/api/v1/wallets;v=1/x"]
]

const invalidPath = (error: unknown, rule: string, what: string) => {
  assert.instanceOf(error, ApiError.ApiError, what)
  assert.deepInclude({ ...error.reason }, { _tag: "InvalidRequest", field: "path", rule }, what)
}

describe("paths", () => {
  it.live(`that lead elsewhere are refused, ${refused.length} of them, by all ways to send them`, () =>
    Effect.gen(function*() {
      const { canaries, client, far, host, promised, shown } = yield* world
      for (const [make, rule] of refused) {
        for (const path of new Set([make(host), make(far)])) {
          const what = JSON.stringify(path).slice(0, 60)
          invalidPath(yield* failing(client.get(path)), rule, what)
          invalidPath(yield* failing(client.post(path, { json: {} })), rule, what)
          const request = HttpClientRequest.setUrl(HttpClientRequest.get(""), path)
          invalidPath(yield* failing(client.execute(request)), rule, what)
          for (const call of [() => promised.fetch(path), () => promised.request("GET", path)]) {
            invalidPath(yield* Effect.promise(() => call().then(() => "sent", (error: unknown) => error)), rule, what)
          }
        }
      }
      assert.deepStrictEqual(shown, [])
      for (const { seen } of canaries) assert.deepStrictEqual(seen, { connections: 0, bytes: 0 })
      assert.deepStrictEqual(yield* client.tokenRequests, { sent: 0, granted: 0 })
    }))

  it.live("that stay below the base URL arrive as they are", () =>
    Effect.gen(function*() {
      const { canaries, client, promised, shown } = yield* world
      for (const [path, arrives] of sent) {
        yield* client.get(path)
        yield* Effect.promise(() => promised.request("GET", path))
        assert.deepStrictEqual(shown.splice(0), [arrives, arrives], JSON.stringify(path))
      }
      for (const { seen } of canaries) assert.deepStrictEqual(seen, { connections: 0, bytes: 0 })
    }))

  it.live("that are redirected lead nowhere, neither with the token nor with the secret", () =>
    Effect.gen(function*() {
      const { canaries, client, clientOf, host, promised } = yield* world
      const rejection = (promise: Promise<unknown>) =>
        Effect.promise(() => promise.then(() => "sent", (error: unknown) => String(error)))
      for (const status of [301, 302, 303, 307, 308]) {
        const path = `/redirect?${status}&http://${host}/`
        const told = `HTTP ${status} (redirects are not followed)`
        for (
          const call of [
            client.get(path),
            client.post(path, { json: {} }),
            client.execute(HttpClientRequest.get(path))
          ]
        ) {
          assert.include((yield* failing(call)).message, told)
        }
        assert.include(yield* rejection(promised.fetch(path)), told)
        assert.include(yield* rejection(promised.request("POST", path, {})), told)
        assert.include(yield* rejection(clientOf(path).fetch("/wallets")), `clientCredentials: ${told}`)
      }
      for (const { seen } of canaries) assert.deepStrictEqual(seen, { connections: 0, bytes: 0 })
    }))

  it.live("that are no texts, or whole addresses, are refused as well", () =>
    Effect.gen(function*() {
      const { canaries, client, promised, host, shown } = yield* world
      const url = new URL(`http://${host}/`)
      invalidPath(yield* failing(client.execute(HttpClientRequest.get(url))), absolute, "a URL")
      const hashed = HttpClientRequest.setHash(HttpClientRequest.get("/wallets"), "x")
      invalidPath(yield* failing(client.execute(hashed)), "must not contain a fragment", "a hash")
      for (const input of [undefined, null, 7, {}, ["wallets"], url, new Request(url)]) {
        const error = yield* Effect.promise(() =>
          Reflect.apply(promised.fetch, promised, [input]).then(() => "sent", (error: unknown) => error)
        )
        invalidPath(error, "must be a string", String(input))
      }
      assert.deepStrictEqual(shown, [])
      for (const { seen } of canaries) assert.deepStrictEqual(seen, { connections: 0, bytes: 0 })
    }))

  it.live("of any letters never get out of the base URL", () =>
    Effect.gen(function*() {
      const { canaries, client, host, shown } = yield* world
      const piece = fc.constantFrom(
        "/",
        "//",
        "\\",
        ".",
        "..",
        "%2e",
        "%2f",
        "%5c",
        "%25",
        "@",
        ":",
        ";",
        "?",
        "#",
        "\t",
        "%",
        "http:",
        host,
        "wallets",
        "\uff0e",
        "\uff0f",
        "~",
        "&"
      )
      const paths = fc.oneof(fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join("")), fc.string())
      yield* Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(paths, async (path) => {
            await Effect.runPromise(Effect.ignore(client.get(path)))
          }),
          { numRuns: 1000 }
        )
      )
      assert.isAbove(shown.length, 20)
      for (const path of shown) {
        // Read again as a proxy might that decodes first.
        const decoded = decodeURIComponent(path.split("?", 1)[0]?.replaceAll(/%(?![\da-f]{2})/gi, "%25") ?? "")
        assert.match(new URL(decoded, "http://h").pathname, /^\/api\/v1(?:\/|$)/)
      }
      for (const { seen } of canaries) assert.deepStrictEqual(seen, { connections: 0, bytes: 0 })
    }))
})
