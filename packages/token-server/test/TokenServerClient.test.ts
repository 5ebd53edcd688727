import { BearerAuth, SecureUrl, TokenCache } from "@effect-identity/oauth"
import { SecretSweep } from "@effect-identity/testing"
import { TokenServerClient } from "@effect-identity/token-server"
import { BudgetSpent, NotFound } from "@effect-identity/token-server/internal/Failure"
import { Tokens } from "@effect-identity/token-server/internal/tokens/Tokens"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer, Redacted, Result } from "effect"
import { FetchHttpClient, HttpClient, HttpClientResponse } from "effect/http"
import { inspect } from "node:util"
import * as Memory from "./Memory.ts"
import * as Server from "./Server.ts"

const wanted = { realm: "wechat", key: "app" }

/** Hands out `token-1` until that is reported, then `token-2`, and so on. */
const start = Effect.gen(function*() {
  const reads: Array<number | undefined> = []
  const reports: Array<string> = []
  let current = 1
  const tokens = Tokens.of({
    get: ({ key, minTtl }) =>
      Effect.suspend(() => {
        if (key !== "app") return Effect.fail(new NotFound({ what: "secret" }))
        reads.push(minTtl === undefined ? undefined : Duration.toMillis(minTtl))
        return Effect.succeed({
          value: Redacted.make(`token-${current}`),
          expiresIn: 600_000,
          source: "memory",
          persisted: true
        })
      }),
    flush: () => Effect.fail(new BudgetSpent({ retryAfter: Duration.seconds(7) })),
    report: (_realm, _key, refused) =>
      Effect.sync(() => {
        reports.push(Redacted.value(refused))
        if (Redacted.value(refused) !== `token-${current}`) return "not-current"
        current++
        return "replaced"
      }),
    peekUnsafe: () => undefined,
    forget: () => Effect.void
  })
  const server = yield* Server.start(Layer.merge(Memory.layer, Layer.succeed(Tokens, tokens)))
  const options = { baseUrl: `http://127.0.0.1:${server.port}`, apiKey: Redacted.make(yield* server.key("reader")) }
  const layer = TokenServerClient.layer(options).pipe(
    Layer.provideMerge(TokenCache.layerLocal()),
    Layer.provide(FetchHttpClient.layer)
  )
  return { layer, options, reads, reports }
})

describe("TokenServerClient", () => {
  it.live("gives tokens whose life is what the server says is left of it", () =>
    Effect.gen(function*() {
      const { layer, reads } = yield* start
      const token = yield* Effect.provide(TokenServerClient.source({ ...wanted, minTtl: "2 minutes" }), layer)
      assert.strictEqual(Redacted.value(token.value), "token-1")
      assert.strictEqual(Duration.toMillis(token.lifetime), 600_000)
      assert.deepStrictEqual(reads, [120_000])
    }))

  it.live("asks the server once for all who share a cache", () =>
    Effect.gen(function*() {
      const { layer, reads } = yield* start
      yield* Effect.gen(function*() {
        const { get } = yield* TokenServerClient.tokens(wanted)
        const all = yield* Effect.all(Array.from({ length: 50 }, () => get), { concurrency: "unbounded" })
        assert.strictEqual(new Set(all).size, 1)
      }).pipe(Effect.provide(layer))
      assert.lengthOf(reads, 1)
    }))

  it.live("reports a token that an API refuses, and goes on with the next one", () =>
    Effect.gen(function*() {
      const { layer, reads, reports } = yield* start
      const shown: Array<string> = []
      const api = HttpClient.make((request) =>
        Effect.sync(() => {
          const token = request.headers["authorization"] ?? ""
          shown.push(token)
          return HttpClientResponse.fromWeb(
            request,
            new Response("", { status: token === "Bearer token-2" ? 200 : 401 })
          )
        })
      )
      yield* Effect.gen(function*() {
        const tokens = yield* TokenServerClient.tokens(wanted)
        yield* tokens.get
        const client = BearerAuth.apply(api, {
          origin: Result.getOrThrow(SecureUrl.parse("https://api.example")),
          tokens
        })
        const { status } = yield* client.get("https://api.example/menu")
        assert.strictEqual(status, 200)
      }).pipe(Effect.provide(layer))
      assert.deepStrictEqual(shown, ["Bearer token-1", "Bearer token-2"])
      assert.deepStrictEqual(reports, ["token-1"])
      assert.lengthOf(reads, 2)
    }))

  it.live("fails with the code of the server's problem, and with nothing of the key", () =>
    Effect.gen(function*() {
      const { layer, options } = yield* start
      const missing = yield* Effect.flip(
        Effect.provide(TokenServerClient.source({ realm: "wechat", key: "other" }), layer)
      )
      assert.strictEqual(missing.message, "tokenServer: not_found (HTTP 404)")
      assert.isFalse(missing._tag === "OAuthError" && missing.isRetryable)

      const stranger = TokenServerClient.layer({ ...options, apiKey: Redacted.make("tsk_stranger-key-0123456789") })
      const refused = yield* Effect.flip(
        TokenServerClient.source(wanted).pipe(
          Effect.provide(Layer.provide(stranger, FetchHttpClient.layer))
        )
      )
      assert.strictEqual(refused.message, "tokenServer: invalid_key (HTTP 401)")
      assert.deepStrictEqual(
        SecretSweep.find(inspect(refused, { depth: 8 }), { key: "tsk_stranger-key-0123456789" }),
        []
      )
    }))

  it.live("fails as a request to an issuer does, where there is no server or nothing to be read of it", () =>
    Effect.gen(function*() {
      const gone = TokenServerClient.layer({ baseUrl: "http://127.0.0.1:1", apiKey: Redacted.make("tsk_x") })
      const unreachable = yield* Effect.flip(
        TokenServerClient.source(wanted).pipe(
          Effect.provide(Layer.provide(gone, FetchHttpClient.layer))
        )
      )
      assert.strictEqual(unreachable._tag === "OAuthError" && unreachable.reason._tag, "Transport")
      assert.isTrue(unreachable._tag === "OAuthError" && unreachable.isRetryable)

      const answering = (answer: () => Response) =>
        TokenServerClient.source(wanted).pipe(
          Effect.provide(
            TokenServerClient.layer({ baseUrl: "https://tokens.example", apiKey: Redacted.make("tsk_x") })
          ),
          Effect.provideService(
            HttpClient.HttpClient,
            HttpClient.make((request) => Effect.sync(() => HttpClientResponse.fromWeb(request, answer())))
          ),
          Effect.flip,
          Effect.map(({ message }) => message)
        )
      assert.include(yield* answering(() => new Response("<html>")), "tokenServer: invalid answer")
      assert.include(yield* answering(() => Response.json({ token: "t", expires_in: 0, source: "memory" })), "expired")
    }))

  it.effect("does not send a key in the clear", () =>
    Effect.gen(function*() {
      const refused = yield* Effect.flip(
        TokenServerClient.make({ baseUrl: "http://tokens.example", apiKey: Redacted.make("tsk_x") })
      )
      assert.include(refused.message, "https")
    }).pipe(Effect.provide(FetchHttpClient.layer)))
})
