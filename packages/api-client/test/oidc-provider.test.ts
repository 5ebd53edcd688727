/**
 * A real authorization server, `oidc-provider`, and an API that asks it about every token, over TLS that a private authority
 * vouches for.
 */
import { ApiClient, ApiError } from "@effect-identity/api-client"
import * as CertificateAuthority from "@effect-identity/testing/CertificateAuthority"
import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Redacted, Stream } from "effect"
import { HttpBody, HttpClientRequest } from "effect/http"
import type { ServerResponse } from "node:http"
import * as Https from "node:https"
import { Provider } from "oidc-provider"
import { failing } from "./Fixture.ts"

const secret = "s3cret/+&%=: with everything"

const clientOf = (clientId: string, method: "client_secret_basic" | "client_secret_post") => ({
  client_id: clientId,
  client_secret: secret,
  grant_types: ["client_credentials"],
  redirect_uris: [],
  response_types: [],
  token_endpoint_auth_method: method,
  scope: "wallets:read wallets:write"
})

const listening = (server: Https.Server) =>
  Effect.acquireRelease(
    Effect.callback<string>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(
          Effect.succeed(`https://localhost:${typeof address === "object" && address !== null ? address.port : 0}`)
        )
      })
    }),
    () =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  )

interface Seen {
  readonly bearer: string
  readonly method: string
  readonly bytes: number
}

const world = Effect.gen(function*() {
  const authority = yield* CertificateAuthority.make
  const identity = yield* authority.issue(["localhost"])
  const issuerServer = Https.createServer(identity)
  const issuer = yield* listening(issuerServer)
  const provider = new Provider(issuer, {
    clients: [clientOf("by-post", "client_secret_post"), clientOf("by-basic", "client_secret_basic")],
    features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
    scopes: ["wallets:read", "wallets:write", "admin"],
    ttl: { ClientCredentials: 3600 }
  })
  let granted = 0
  const asked: Array<"header" | "body"> = []
  provider.on("grant.success", () => {
    granted++
  })
  const handle = provider.callback()
  issuerServer.on("request", (request, response) => {
    asked.push(request.headers.authorization === undefined ? "body" : "header")
    void handle(request, response)
  })

  const calls: Array<Seen> = []
  const revoked = new Set<string>()
  const answer = async (bearer: string, response: ServerResponse) => {
    const token = await provider.ClientCredentials.find(bearer)
    const isValid = token !== undefined && !revoked.has(bearer)
    response.writeHead(isValid ? 200 : 401, { "content-type": "application/json" })
    response.end(JSON.stringify(isValid ? { scope: token.scope ?? null } : { error: { code: "unauthorized" } }))
  }
  const apiServer = Https.createServer(identity, (request, response) => {
    const bearer = request.headers.authorization?.replace(/^Bearer /, "") ?? ""
    let bytes = 0
    request.on("data", (chunk) => {
      bytes += chunk.length
    })
    request.once("end", () => {
      calls.push({ bearer, method: request.method ?? "", bytes })
      void answer(bearer, response)
    })
  })
  const origin = yield* listening(apiServer)

  const client = (given: Pick<ApiClient.Options, "clientId"> & Partial<ApiClient.Options>, ca = [authority.cert]) =>
    Layer.build(
      ApiClient.layer({
        baseUrl: `${origin}/api/v1`,
        tokenEndpoint: `${issuer}/token`,
        clientSecret: Redacted.make(secret),
        timeout: "2 minutes",
        ...given
      }).pipe(
        Layer.provide(NodeHttpClient.layerNodeHttpNoAgent),
        Layer.provide(NodeHttpClient.layerAgentOptions({ ca, keepAlive: true, maxSockets: 64 }))
      )
    ).pipe(Effect.map((context) => Context.get(context, ApiClient.ApiClient)))

  return {
    client,
    calls,
    granted: () => granted,
    asked,
    revoke: () => {
      for (const { bearer } of calls) revoked.add(bearer)
    }
  }
})

const clients = [["by-post", "client_secret_post"], ["by-basic", "client_secret_basic"]] as const

describe("oidc-provider", () => {
  for (const [clientId, clientAuth] of clients) {
    it.live(`gives a token to a client that says who it is by ${clientAuth}`, () =>
      Effect.gen(function*() {
        const { asked, client, granted } = yield* world
        const api = yield* client({ clientId, clientAuth, scope: "wallets:read" })
        assert.deepStrictEqual(yield* api.get("/wallets"), { scope: "wallets:read" })
        assert.deepStrictEqual(yield* api.get("/wallets"), { scope: "wallets:read" })
        const writer = yield* api.withGrant({ scope: "wallets:write wallets:read" })
        assert.deepStrictEqual(yield* writer.get("/wallets"), { scope: "wallets:write wallets:read" })
        const place = clientAuth === "client_secret_post" ? "body" : "header"
        assert.deepStrictEqual([granted(), asked], [2, [place, place]])
        assert.deepStrictEqual(yield* api.tokenRequests, { sent: 2, granted: 2 })
      }))

    it.live(`refuses a client with a wrong secret by ${clientAuth}, and a scope that it does not have`, () =>
      Effect.gen(function*() {
        const { calls, client, granted } = yield* world
        const wrong = yield* client({ clientId, clientAuth, clientSecret: Redacted.make("wrong") })
        const error = yield* failing(wrong.get("/wallets"))
        assert.strictEqual(error._tag, "OAuthError")
        assert.include(error.message, "clientCredentials: invalid_client")
        const greedy = yield* client({ clientId, clientAuth, scope: "admin" })
        assert.include((yield* failing(greedy.get("/wallets"))).message, "clientCredentials: invalid_scope")
        assert.deepStrictEqual([granted(), calls.length], [0, 0])
      }))
  }

  it.live("gives one new token for 5,000 callers whose token is refused at once", () =>
    Effect.gen(function*() {
      const { calls, client, granted, revoke } = yield* world
      const api = yield* client({ clientId: "by-basic", clientAuth: "client_secret_basic" })
      yield* api.get("/wallets")
      revoke()
      const before = calls.length
      const answers = yield* Effect.all(
        Array.from({ length: 5000 }, () => Effect.exit(api.get("/wallets"))),
        { concurrency: "unbounded" }
      )
      assert.isTrue(answers.every(({ _tag }) => _tag === "Success"))
      assert.strictEqual(granted(), 2)
      const bearers = calls.slice(before).map(({ bearer }) => bearer)
      assert.strictEqual(new Set(bearers).size, 2)
      assert.isAtMost(bearers.length, 10_000)
      assert.isAtLeast(bearers.length, 5001)
      assert.deepStrictEqual(yield* api.tokenRequests, { sent: 2, granted: 2 })
    }), 120_000)

  it.live("is shown a stream once, whatever comes of it", () =>
    Effect.gen(function*() {
      const { calls, client, granted, revoke } = yield* world
      const api = yield* client({ clientId: "by-post" })
      yield* api.get("/wallets")
      revoke()
      let pulled = 0
      const chunk = new Uint8Array(64 * 1024)
      const stream = Stream.tap(Stream.take(Stream.forever(Stream.make(chunk)), 16), () =>
        Effect.sync(() => {
          pulled++
        }))
      const body = HttpBody.stream(stream, "application/octet-stream")
      const error = yield* failing(api.post("/files", { body, idempotencyKey: "key-1" }))
      assert.instanceOf(error, ApiError.ApiError)
      assert.deepStrictEqual([error.status, error.code], [401, "unauthorized"])
      assert.deepStrictEqual(calls.slice(1).map(({ bytes, method }) => [method, bytes]), [["POST", 16 * chunk.length]])
      assert.deepStrictEqual([pulled, granted()], [16, 1])
      const again = HttpClientRequest.setBody(HttpClientRequest.put("/files"), HttpBody.stream(stream))
      assert.strictEqual((yield* api.execute(again)).status, 200)
      assert.deepStrictEqual([pulled, granted(), calls.length], [32, 2, 3])
    }))

  it.live("is sent nothing while nobody vouches for it", () =>
    Effect.gen(function*() {
      const { asked, calls, client } = yield* world
      const other = yield* CertificateAuthority.make
      const error = yield* failing((yield* client({ clientId: "by-post" }, [other.cert])).get("/wallets"))
      assert.strictEqual(error.message, "clientCredentials: TLS failed (untrusted)")
      assert.deepStrictEqual([asked.length, calls.length], [0, 0])
    }))
})
