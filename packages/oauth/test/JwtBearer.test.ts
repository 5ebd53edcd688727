import { JwtAssertion, JwtBearer, type OAuthError, SecureUrl, TokenEndpoint } from "@effect-identity/oauth"
import { SecretSweep } from "@effect-identity/testing"
import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Duration, Effect, Layer, Redacted, Result } from "effect"
import { HttpClient, type HttpClientRequest, HttpClientResponse } from "effect/http"
import { TestClock } from "effect/testing"
import * as jose from "jose"
import { generateKeyPairSync } from "node:crypto"
import { createServer } from "node:http"
import { errors, Provider } from "oidc-provider"

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 })
const pem = Redacted.make(rsa.privateKey.export({ type: "pkcs8", format: "pem" }).toString())

const endpointAt = (url: string, options: Partial<TokenEndpoint.TokenEndpoint> = {}): TokenEndpoint.TokenEndpoint => ({
  url: Result.getOrThrow(SecureUrl.parse(url)),
  ...options
})

/** An authorization server of someone else's make, with this grant: it believes what `jose` verifies, each but once. */
const provider = Effect.acquireRelease(
  Effect.callback<{ readonly issuer: string; readonly close: () => void }>((resume) => {
    const server = createServer()
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      const issuer = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`
      const oidc = new Provider(issuer, {
        features: { devInteractions: { enabled: false } },
        ttl: { ClientCredentials: 600 },
        clients: [{
          client_id: "app",
          redirect_uris: [],
          response_types: [],
          grant_types: [JwtBearer.grantType],
          token_endpoint_auth_method: "none"
        }],
        jwks: {
          keys: [{ ...generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" }) }]
        }
      })
      const used = new Set<unknown>()
      oidc.registerGrantType(JwtBearer.grantType, async (ctx) => {
        const { client, params } = ctx.oidc
        if (client === undefined) throw new errors.InvalidClient("no client")
        const { payload } = await jose.jwtVerify(String(params?.["assertion"]), rsa.publicKey, {
          algorithms: ["RS256"],
          issuer: "app",
          audience: issuer,
          maxTokenAge: "10 minutes"
        }).catch(() => {
          throw new errors.InvalidGrant("assertion is not valid")
        })
        if (used.has(payload.jti)) throw new errors.InvalidGrant("assertion was used before")
        used.add(payload.jti)
        const token = new oidc.ClientCredentials({ client, scope: String(params?.["scope"] ?? "") })
        ctx.body = { access_token: await token.save(), expires_in: token.expiration, token_type: "Bearer" }
      }, ["assertion", "scope"])
      server.on("request", oidc.callback())
      resume(Effect.succeed({
        issuer,
        close: () => {
          server.closeAllConnections()
          server.close()
        }
      }))
    })
  }),
  ({ close }) => Effect.sync(close)
)

/** The same, for an assertion that also says which client it is: this server wants to know before it looks. */
const askAs = (issuer: string, assertion: Effect.Effect<Redacted.Redacted>) => {
  const endpoint = endpointAt(`${issuer}/token`)
  return TokenEndpoint.ask(endpoint, {
    operation: "jwtBearer",
    attempt: Effect.map(assertion, (assertion) =>
      TokenEndpoint.form(endpoint, [
        ["client_id", "app"],
        ["grant_type", JwtBearer.grantType],
        ["assertion", assertion]
      ]))
  })
}

const signAs = Effect.fnUntraced(function*(claims: JwtAssertion.Claims) {
  const key = yield* Effect.orDie(JwtAssertion.importKey({ keyId: "kid", pem }))
  return yield* JwtAssertion.sign(key, claims)
})

describe("JwtBearer, at oidc-provider", () => {
  it.live("trades assertions for tokens, a new one each time", () =>
    Effect.gen(function*() {
      const { issuer } = yield* provider
      const ask = askAs(issuer, signAs({ issuer: "app", audience: issuer }))
      const tokens = yield* Effect.all([ask, ask, ask])
      assert.strictEqual(new Set(tokens.map(({ value }) => Redacted.value(value))).size, 3)
      assert.isAbove(Duration.toSeconds(tokens[0].lifetime), 0)
    }).pipe(Effect.provide(NodeHttpClient.layerNodeHttp)))

  it.live("is told why when an assertion is for someone else, outdated or used before", () =>
    Effect.gen(function*() {
      const { issuer } = yield* provider
      const assertion = yield* signAs({ issuer: "app", audience: issuer })
      yield* askAs(issuer, Effect.succeed(assertion))
      for (
        const refused of [
          Effect.succeed(assertion),
          signAs({ issuer: "app", audience: "elsewhere" }),
          signAs({ issuer: "app", audience: issuer, lifetime: "-1 seconds" })
        ]
      ) {
        const error = yield* Effect.flip(askAs(issuer, refused))
        assert.strictEqual(error.operation, "jwtBearer")
        assert.include(error.reason, { _tag: "OAuth", code: "invalid_grant", status: 400 })
        assert.deepStrictEqual(SecretSweep.find(error, { assertion: Redacted.value(assertion) }), [])
      }
    }).pipe(Effect.provide(NodeHttpClient.layerNodeHttp)))
})

/** A server that gives these answers one after the other, and what it was sent. */
const makeServer = (...answers: ReadonlyArray<() => Response>) => {
  const sent: Array<HttpClientRequest.HttpClientRequest> = []
  const client = HttpClient.make((request) =>
    Effect.sync(() => HttpClientResponse.fromWeb(request, answers[sent.push(request) - 1]?.() ?? Response.error()))
  )
  return { sent, layer: Layer.succeed(HttpClient.HttpClient, client) }
}

const formOf = (request: HttpClientRequest.HttpClientRequest | undefined): string =>
  request?.body._tag === "Uint8Array" ? new TextDecoder().decode(request.body.body) : ""

const token = (fields: Readonly<Record<string, unknown>> = {}) => () =>
  Response.json({ access_token: "t0ken", token_type: "Bearer", expires_in: 600, ...fields })

describe("JwtBearer", () => {
  it.live("sends the form of RFC 7523, with a new assertion for every attempt", () =>
    Effect.gen(function*() {
      let signed = 0
      const server = makeServer(() => Response.json({}, { status: 503 }), token())
      const ask = JwtBearer.token({
        endpoint: endpointAt("https://issuer.example/token"),
        assertion: Effect.sync(() => Redacted.make(`assertion-${++signed}`)),
        scope: "read write"
      })
      yield* Effect.provide(ask, server.layer)
      const grant = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"
      assert.deepStrictEqual(server.sent.map(formOf), [
        `${grant}&assertion=assertion-1&scope=read+write`,
        `${grant}&assertion=assertion-2&scope=read+write`
      ])
    }))
})

describe("TokenEndpoint, where expires_in is a Unix time", () => {
  const now = 1_700_000_000_250

  const ask = (expiresIn: unknown) => {
    const server = makeServer(token({ expires_in: expiresIn }))
    return Effect.andThen(
      TestClock.setTime(now),
      JwtBearer.token({
        endpoint: endpointAt("https://issuer.example/token", { expiresIn: "unixTime" }),
        assertion: Effect.succeed(Redacted.make("assertion"))
      })
    ).pipe(Effect.provide(server.layer))
  }

  for (
    const [given, end] of [
      [1_700_000_900, 1_700_000_900_000],
      ["1700000900", 1_700_000_900_000],
      [1_700_000_900.9, 1_700_000_900_000],
      [1_700_000_900_123, 1_700_000_900_123],
      [1_700_000_001, 1_700_000_001_000],
      [1_800_000_000, now + 86_400_000]
    ] as const
  ) {
    it.effect(`takes ${JSON.stringify(given)} for the end it is`, () =>
      Effect.map(ask(given), ({ expiresAt }) => assert.strictEqual(DateTime.toEpochMillis(expiresAt), end)))
  }

  for (
    const [given, detail] of [
      [900, "lifetime"],
      [86_399, "lifetime"],
      [0, "lifetime"],
      [-1, "lifetime"],
      [1e15, "lifetime"],
      ["soon", "lifetime"],
      [true, "lifetime"],
      [1_700_000_000, "expired"],
      [1_699_999_999, "expired"],
      [1_000_000_000, "expired"]
    ] as const
  ) {
    it.effect(`refuses ${JSON.stringify(given)}`, () =>
      Effect.map(
        Effect.flip(ask(given)),
        ({ reason }: OAuthError.OAuthError) => assert.include(reason, { _tag: "InvalidResponse", detail })
      ))
  }
})

describe("OAuthError, of Coze", () => {
  for (const code of ["internal_error", "access_deny"]) {
    it.live(`is ${code === "internal_error" ? "" : "not "}worth another attempt for ${code}`, () =>
      Effect.gen(function*() {
        const server = makeServer(() => Response.json({ error_code: code, error_message: "later" }), token())
        const ask = JwtBearer.token({
          endpoint: endpointAt("https://issuer.example/token"),
          assertion: Effect.succeed(Redacted.make("assertion"))
        })
        yield* Effect.exit(Effect.provide(ask, server.layer))
        assert.lengthOf(server.sent, code === "internal_error" ? 2 : 1)
      }))
  }
})
