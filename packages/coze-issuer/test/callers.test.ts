import { CozeOAuth } from "@effect-identity/testing"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import * as jose from "jose"
import { generateKeyPairSync, type KeyObject } from "node:crypto"
import { createServer, request } from "node:http"
import { as, ask, callers, entries, keys, wanting } from "./Entry.ts"

const layer = CozeOAuth.layer()

const identity = { CALLER_JWT_ISSUER: "https://id.example", CALLER_JWT_AUDIENCE: "coze-issuer" }

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 })
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" })
const secret = "shared-secret-of-at-least-32-bytes-1f9c"
const spki = (key: KeyObject) => key.export({ type: "spki", format: "pem" }).toString()

interface Claims {
  readonly alg: string
  readonly key: KeyObject | Uint8Array
  readonly kid?: string
  readonly subject?: string | undefined
  readonly issuer?: string
  readonly audience?: string
  /** Seconds from now. */
  readonly expires?: number | undefined
}

const jwt = ({ alg, key, ...claims }: Claims) =>
  Effect.flatMap(Clock.currentTimeMillis, (millis) => {
    const now = Math.floor(millis / 1000)
    const expires = "expires" in claims ? claims.expires : 60
    const signed = new jose.SignJWT({
      iat: now,
      ...(expires !== undefined && { exp: now + expires }),
      ...("subject" in claims ? claims.subject === undefined ? {} : { sub: claims.subject } : { sub: "alice" })
    })
      .setProtectedHeader({ alg, ...(claims.kid !== undefined && { kid: claims.kid }) })
      .setIssuer(claims.issuer ?? identity.CALLER_JWT_ISSUER)
      .setAudience(claims.audience ?? identity.CALLER_JWT_AUDIENCE)
    return Effect.promise(() => signed.sign(key))
  })

const hmac = new TextEncoder().encode(secret)

/** A server of keys, and how often it was asked. */
const jwks = Effect.acquireRelease(
  Effect.callback<{ readonly url: string; readonly asked: () => number; readonly close: () => void }>((resume) => {
    let asked = 0
    const keys = [
      { ...rsa.publicKey.export({ format: "jwk" }), kid: "r1", alg: "RS256", use: "sig" },
      { ...ec.publicKey.export({ format: "jwk" }), kid: "e1", alg: "ES256", use: "sig" }
    ]
    const server = createServer((_, response) => {
      asked++
      response.setHeader("content-type", "application/json").end(JSON.stringify({ keys }))
    })
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      resume(Effect.succeed({
        url: `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}/jwks`,
        asked: () => asked,
        close: () => {
          server.closeAllConnections()
          server.close()
        }
      }))
    })
  }),
  ({ close }) => Effect.sync(close)
)

/** Asks as someone does who knows the issuer by another name. */
const askAs = (origin: string, host: string) =>
  Effect.callback<{ readonly status: number | undefined }>((resume) => {
    request(`${origin}/`, { method: "POST", headers: { host } }, (response) => {
      response.resume()
      resume(Effect.succeed({ status: response.statusCode }))
    }).end()
  })

for (const entry of entries) {
  describe(`callers of the issuer, on ${entry.name}`, () => {
    const start = Effect.fnUntraced(function*(env: Readonly<Record<string, string>>) {
      const coze = yield* CozeOAuth.CozeOAuth
      const issuer = yield* Effect.orDie(entry.start({ ...coze.env, ...env }))
      return { coze, ...issuer }
    })

    it.live("W1: refuses whoever shows nothing, something wrong or something else, and asks Coze for nothing", () =>
      Effect.gen(function*() {
        const { coze, origin } = yield* start(callers)
        const credentials: ReadonlyArray<readonly [authorization: string | undefined, code: string]> = [
          [undefined, "unauthenticated"],
          ["", "unauthenticated"],
          [`Basic ${btoa(`x:${keys.any}`)}`, "unauthenticated"],
          [keys.any, "unauthenticated"],
          ["Bearer", "invalid_token"],
          ["Bearer wrong", "invalid_token"],
          [`Bearer ${keys.any}x`, "invalid_token"],
          [`Bearer ${keys.any.slice(1)}`, "invalid_token"],
          [`Bearer ${keys.any.toUpperCase()}`, "invalid_token"],
          [`Bearer ${keys.any} ${keys.any}`, "invalid_token"],
          [`Bearer ${"x".repeat(10_000)}`, "invalid_token"],
          ["Bearer a.b.c", "invalid_token"],
          ["Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.", "invalid_token"]
        ]
        for (const [authorization, code] of credentials) {
          for (const path of ["/", "/v1/tokens"]) {
            const headers = { "x-user-id": "alice", ...(authorization !== undefined && { authorization }) }
            const answer = yield* ask(origin + path, { headers })
            assert.deepStrictEqual([answer.status, answer.body["code"]], [401, code], authorization)
            assert.strictEqual(
              answer.headers.get("www-authenticate"),
              code === "unauthenticated"
                ? "Bearer realm=\"coze-issuer\""
                : "Bearer realm=\"coze-issuer\", error=\"invalid_token\""
            )
          }
        }
        assert.lengthOf(yield* coze.requests, 0)
      }).pipe(Effect.provide(layer)))

    it.live("W2: takes a session from callers who may act for any, and from no other", () =>
      Effect.gen(function*() {
        const { coze, origin } = yield* start(callers)
        for (
          const refused of [
            ask(`${origin}/`, as(keys.none, { "x-user-id": "alice" })),
            ask(`${origin}/v1/tokens`, wanting(keys.none, { session: "alice" })),
            ask(`${origin}/v1/tokens`, wanting(keys.none, { session_context: { device_info: {} } }))
          ]
        ) {
          const { body, status } = yield* refused
          assert.deepStrictEqual([status, body["code"]], [400, "session_not_allowed"])
        }
        assert.lengthOf(yield* coze.requests, 0)
        const own = yield* ask(`${origin}/`, as(keys.none))
        assert.strictEqual((yield* coze.grantOf(String(own.body["access_token"])))?.sessionName, undefined)
      }).pipe(Effect.provide(layer)))

    it.live("W2: refuses names of sessions that name none, and keeps those apart that look like something else", () =>
      Effect.gen(function*() {
        const { coze, origin } = yield* start(callers)
        for (const name of ["", " ", "x".repeat(257), "x".repeat(10_000), Buffer.from("ä").toString("latin1")]) {
          const { body, status } = yield* ask(`${origin}/`, as(keys.any, { "x-user-id": name }))
          assert.deepStrictEqual([status, body["code"]], [400, "invalid_request"], name.slice(0, 10))
        }
        assert.lengthOf(yield* coze.requests, 0)
        for (const name of ["__proto__", "constructor", "a", "A", "a,b", "[\"a\"]", "null", "undefined"]) {
          const { body } = yield* ask(`${origin}/`, as(keys.any, { "x-user-id": name }))
          assert.strictEqual((yield* coze.grantOf(String(body["access_token"])))?.sessionName, name)
        }
      }).pipe(Effect.provide(layer)))

    it.live("makes the subject of a JWT the session, whatever else is asked for", () =>
      Effect.gen(function*() {
        const { coze, origin } = yield* start({ ...identity, CALLER_JWT_SECRET: secret })
        const alice = yield* jwt({ alg: "HS256", key: hmac })
        for (const answer of [ask(`${origin}/`, as(alice)), ask(`${origin}/`, as(alice, { "x-user-id": "alice" }))]) {
          const { body } = yield* answer
          assert.strictEqual((yield* coze.grantOf(String(body["access_token"])))?.sessionName, "alice")
        }
        for (
          const other of [
            ask(`${origin}/`, as(alice, { "x-user-id": "bob" })),
            ask(`${origin}/v1/tokens`, wanting(alice, { session: "bob" })),
            ask(`${origin}/v1/tokens`, wanting(alice, { session_context: {} }))
          ]
        ) assert.deepInclude((yield* other).body, { status: 400, code: "session_not_allowed" })
        const nameless = yield* ask(`${origin}/`, as(yield* jwt({ alg: "HS256", key: hmac, subject: "x".repeat(257) })))
        assert.deepInclude(nameless.body, { status: 400, code: "invalid_request" })
        assert.lengthOf(yield* coze.requests, 1)
      }).pipe(Effect.provide(layer)))

    it.live("does not believe a JWT of another issuer, for another audience, ended, without end or subject, or forged", () =>
      Effect.gen(function*() {
        const { coze, origin } = yield* start({ ...callers, ...identity, CALLER_JWT_PUBLIC_KEY: spki(rsa.publicKey) })
        const right = { alg: "RS256", key: rsa.privateKey }
        const wrong: ReadonlyArray<Claims> = [
          { ...right, issuer: "https://other.example" },
          { ...right, audience: "other" },
          { ...right, expires: -60 },
          { ...right, expires: undefined },
          { ...right, subject: undefined },
          { alg: "RS512", key: rsa.privateKey },
          { alg: "RS256", key: generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey },
          // The public key as a shared secret.
          { alg: "HS256", key: new TextEncoder().encode(spki(rsa.publicKey)) },
          { alg: "ES256", key: ec.privateKey }
        ]
        for (const claims of wrong) {
          const answer = yield* ask(`${origin}/`, as(yield* jwt(claims)))
          assert.deepStrictEqual([answer.status, answer.body["code"]], [401, "invalid_token"], JSON.stringify(claims))
        }
        assert.lengthOf(yield* coze.requests, 0)
        assert.strictEqual((yield* ask(`${origin}/`, as(yield* jwt(right)))).status, 200)
        assert.strictEqual((yield* ask(`${origin}/`, as(keys.any))).status, 200)
      }).pipe(Effect.provide(layer)))

    it.live("verifies with an EC key, with its line breaks escaped", () =>
      Effect.gen(function*() {
        const { origin } = yield* start({
          ...identity,
          CALLER_JWT_PUBLIC_KEY: spki(ec.publicKey).replaceAll("\n", "\\n")
        })
        assert.strictEqual((yield* ask(`${origin}/`, as(yield* jwt({ alg: "ES256", key: ec.privateKey })))).status, 200)
        const other = yield* jwt({ alg: "RS256", key: rsa.privateKey })
        assert.strictEqual((yield* ask(`${origin}/`, as(other))).status, 401)
      }).pipe(Effect.provide(layer)))

    it.live("does not serve where JWTs cannot be verified as it is told, and says why", () =>
      Effect.gen(function*() {
        const { env } = yield* CozeOAuth.CozeOAuth
        const short = generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey
        for (
          const [settings, rule] of [
            [{ CALLER_JWT_PUBLIC_KEY: spki(short) }, "CALLER_JWT_PUBLIC_KEY must have at least 2048 bits"],
            [{ CALLER_JWT_PUBLIC_KEY: secret }, "CALLER_JWT_PUBLIC_KEY must be a public RSA or P-256 key in PEM"],
            [{ CALLER_JWT_SECRET: secret.slice(0, 31) }, "CALLER_JWT_SECRET must be at least 32 bytes"],
            [{ CALLER_JWT_JWKS_URL: "http://id.example/jwks" }, "CALLER_JWT_JWKS_URL must be an https URL"],
            [{ CALLER_JWT_SECRET: secret, CALLER_JWT_JWKS_URL: "https://id.example" }, "one of them, must be set"],
            [{}, "CALLER_JWT_JWKS_URL or CALLER_JWT_PUBLIC_KEY or CALLER_JWT_SECRET, one of them, must be set"]
          ] as const
        ) {
          const { output } = yield* Effect.flip(entry.start({ ...env, ...identity, ...settings }))
          assert.include(output, rule)
          assert.notInclude(output, secret.slice(0, 12))
        }
      }).pipe(Effect.provide(layer)), 60_000)

    it.live("fetches the keys of a JWKS once, and tells by 502 when it cannot", () =>
      Effect.gen(function*() {
        const server = yield* jwks
        const { origin } = yield* start({ ...identity, CALLER_JWT_JWKS_URL: server.url })
        const tokens = yield* Effect.all([
          jwt({ alg: "RS256", key: rsa.privateKey, kid: "r1" }),
          jwt({ alg: "ES256", key: ec.privateKey, kid: "e1" })
        ])
        for (const each of [...tokens, ...tokens]) {
          assert.strictEqual((yield* ask(`${origin}/`, as(each))).status, 200)
        }
        assert.strictEqual(server.asked(), 1)
        // Those who come at once, before there are any keys, all get what they came for.
        const { origin: anew } = yield* start({ ...identity, CALLER_JWT_JWKS_URL: server.url })
        const together = yield* Effect.forEach(
          Array.from({ length: 20 }),
          () => ask(`${anew}/`, as(tokens[0])),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual([...new Set(together.map(({ status }) => status))], [200])
        const askedSoFar = server.asked()
        const unknown = yield* jwt({ alg: "RS256", key: rsa.privateKey, kid: "r2" })
        assert.strictEqual((yield* ask(`${origin}/`, as(unknown))).status, 401)
        assert.strictEqual(server.asked(), askedSoFar)

        const { coze, origin: alone } = yield* start({ ...identity, CALLER_JWT_JWKS_URL: "http://127.0.0.1:1/jwks" })
        const seen = (yield* coze.requests).length
        const answer = yield* ask(`${alone}/`, as(tokens[0]))
        assert.deepStrictEqual([answer.status, answer.body["code"]], [502, "caller_keys_unavailable"])
        assert.lengthOf(yield* coze.requests, seen)
      }).pipe(Effect.provide(layer)))

    it.live("is open where it is told to be, at an address of this machine, and there to those who show nothing", () =>
      Effect.gen(function*() {
        const { coze, origin } = yield* start({ CALLER_AUTH: "open-on-loopback" })
        const answer = yield* ask(`${origin}/`, { headers: { "x-user-id": "user123" } })
        assert.strictEqual((yield* coze.grantOf(String(answer.body["access_token"])))?.sessionName, "user123")
        assert.strictEqual((yield* ask(`${origin}/`, as("wrong"))).status, 401)
        assert.strictEqual((yield* askAs(origin, "token.example.com")).status, 401)
        assert.strictEqual((yield* askAs(origin, "localhost")).status, 200)
      }).pipe(Effect.provide(layer)))
  })
}
