import {
  ClientCredentials,
  type OAuthError,
  Retry,
  SecureUrl,
  type TokenEndpoint,
  TokenExchange
} from "@effect-identity/oauth"
import { Answer, Platform, SecretSweep } from "@effect-identity/testing"
import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Clock, Duration, Effect, Fiber, Layer, Logger, Redacted, Result } from "effect"
import { TestClock } from "effect/testing"
import { createServer } from "node:net"
import { gzipSync } from "node:zlib"

const secret = "client-secret-7f3a9b1c5d/+&=%"
const subject = "subject-token-e41c77aa02"
const leaked = "never-to-be-quoted-9c2e41"

const layer = Layer.merge(
  Platform.layer({ clients: [{ clientId: "app", clientSecret: secret }] }),
  NodeHttpClient.layerNodeHttp
)

const endpointAt = (url: string, options: Partial<TokenEndpoint.TokenEndpoint> = {}): TokenEndpoint.TokenEndpoint => ({
  url: Result.getOrThrow(SecureUrl.parse(url)),
  ...options
})

const idToken = (options?: Partial<TokenEndpoint.TokenEndpoint>) =>
  Effect.flatMap(Platform.Platform, (platform) =>
    ClientCredentials.token({
      endpoint: endpointAt(platform.idTokenEndpoint, options),
      clientId: "app",
      clientSecret: Redacted.make(secret)
    }))

const accessToken = (options?: Partial<TokenEndpoint.TokenEndpoint>) =>
  Effect.flatMap(Platform.Platform, (platform) =>
    TokenExchange.token({
      endpoint: endpointAt(platform.accessTokenEndpoint, options),
      clientId: "app",
      subjectToken: Redacted.make(subject),
      subjectTokenType: TokenExchange.tokenTypes.idToken
    }))

/** What a step makes of one scripted answer. */
const outcome = Effect.fnUntraced(function*(
  step: "idToken" | "accessToken",
  answer: Answer.Answer,
  options?: Partial<TokenEndpoint.TokenEndpoint>
) {
  const platform = yield* Platform.Platform
  yield* platform.script(step, answer)
  return yield* Effect.result(Retry.once(step === "idToken" ? idToken(options) : accessToken(options)))
})

const assertClean = (error: OAuthError.OAuthError) => {
  const secrets = { secret, subject, leaked }
  assert.deepStrictEqual(SecretSweep.find(error, secrets), [])
  assert.deepStrictEqual(SecretSweep.find(Cause.pretty(Cause.fail(error)), secrets), [])
}

const describeReason = (reason: OAuthError.Reason): string =>
  reason._tag === "OAuth"
    ? `OAuth(${reason.code ?? reason.apiCode})`
    : "detail" in reason
    ? `${reason._tag}(${reason.detail})`
    : "status" in reason
    ? `${reason._tag}(${reason.status})`
    : reason._tag

const good = { access_token: leaked, issued_token_type: TokenExchange.tokenTypes.accessToken, token_type: "Bearer" }
const withExpiry = (literal: string) =>
  Answer.body(
    `{"access_token":"${leaked}","issued_token_type":"${good.issued_token_type}","token_type":"Bearer",` +
      `"expires_in":${literal}}`
  )
const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels)
const gzipped = (content: string | Uint8Array, encoding = "gzip") =>
  Answer.body(content instanceof Uint8Array ? content : gzipSync(content), {
    headers: { "content-encoding": encoding }
  })
const json = JSON.stringify({ ...good, expires_in: 600 })

const refused: ReadonlyArray<readonly [row: string, what: string, answer: Answer.Answer, reason: string]> = [
  ["R1", "a redirect to another origin", Answer.redirect("http://127.0.0.1:1/elsewhere"), "Status(307)"],
  ["R2", "a redirect on the same origin", Answer.redirect("/elsewhere", 302), "Status(302)"],
  ["R8", "invalid_client", Answer.refusal("invalid_client", { status: 401 }), "OAuth(invalid_client)"],
  [
    "R8",
    "{code, msg} under 401",
    Answer.json({ code: 4100, msg: "not authenticated" }, { status: 401 }),
    "OAuth(4100)"
  ],
  ["R10", "invalid_target", Answer.refusal("invalid_target"), "OAuth(invalid_target)"],
  ["R12", "an error code nobody could have meant", Answer.refusal("<script>\u0007"), "OAuth(undefined)"],
  ["R13", "200 with error", Answer.json({ ...good, error: "invalid_grant" }), "OAuth(invalid_grant)"],
  ["R13", "200 with {code, msg}", Answer.json({ ...good, code: 4000, msg: "bad" }), "OAuth(4000)"],
  ["R14", "200 with errcode", Answer.json({ errcode: 40001, errmsg: "bad" }), "OAuth(40001)"],
  ["R15", "HTML", Answer.body(`<p>${leaked}`, { contentType: "text/html" }), "InvalidResponse(contentType)"],
  ["R16", "an empty body", Answer.body(""), "InvalidResponse(empty)"],
  ["R16", "204", Answer.body("", { status: 204 }), "InvalidResponse(empty)"],
  ["R16", "201 with a token", Answer.body(json, { status: 201 }), "Status(201)"],
  ["R17", "a bare token", Answer.body(leaked), "InvalidResponse(json)"],
  ["R18", "an array", Answer.json([good]), "InvalidResponse(shape)"],
  ["R18", "a string", Answer.json(leaked), "InvalidResponse(shape)"],
  ["R18", "null", Answer.json(null), "InvalidResponse(shape)"],
  ["R18", "a number", Answer.json(42), "InvalidResponse(shape)"],
  ["R19", "50 MB, announced", Answer.body(new Uint8Array(50e6).fill(0x61)), "InvalidResponse(tooLarge)"],
  ["R19", "50 MB, not announced", Answer.flood(50e6), "InvalidResponse(tooLarge)"],
  ["R20", "a gzip bomb", gzipped(gzipSync(new Uint8Array(50e6))), "InvalidResponse(tooLarge)"],
  ["R20", "stacked encodings", gzipped(gzipSync(gzipSync(json)), "gzip, gzip"), "InvalidResponse(encoding)"],
  ["R20", "an unknown encoding", gzipped(json, "compress"), "InvalidResponse(encoding)"],
  ["R20", "broken gzip", gzipped(gzipSync(json).subarray(0, 40)), "InvalidResponse(encoding)"],
  ["R21", "JSON as text", Answer.body(json, { contentType: "text/plain" }), "InvalidResponse(contentType)"],
  ["R21", "JSON without a content type", Answer.body(json, { contentType: "" }), "InvalidResponse(contentType)"],
  [
    "R23",
    "invalid UTF-8",
    Answer.body(Buffer.from(json.replace(leaked, "\xff\xfe"), "latin1")),
    "InvalidResponse(encoding)"
  ],
  ["R23", "UTF-16", Answer.body(Buffer.from(json, "utf16le")), "InvalidResponse(encoding)"],
  ["R23", "NUL", Answer.body(json.replace(leaked, "a\0b")), "InvalidResponse(encoding)"],
  ["R24", "access_token twice", Answer.body(`{"access_token":"x",${json.slice(1)}`), "InvalidResponse(duplicate)"],
  [
    "R24",
    "access_token twice, once escaped",
    Answer.body(`{"\\u0061ccess_token":"x",${json.slice(1)}`),
    "InvalidResponse(duplicate)"
  ],
  ["R25", "a token in __proto__ only", Answer.body(`{"__proto__":${json}}`), "InvalidResponse(token)"],
  ["R26", "100,000 levels", Answer.body(`{"a":${nested(100_000)},${json.slice(1)}`), "InvalidResponse(nesting)"],
  ["R28", "expires_in 0", withExpiry("0"), "InvalidResponse(expired)"],
  ["R28", "expires_in negative", withExpiry("-1"), "InvalidResponse(expired)"],
  ...["\" 3600\"", "\"3600abc\"", "\"0x10\"", "\"1e3\"", "\"٣٦٠٠\"", "\"\"", "\"3600.5\""].map((literal) =>
    ["R29", `expires_in ${literal}`, withExpiry(literal), "InvalidResponse(lifetime)"] as const
  ),
  ["R30", "expires_in 0.7", withExpiry("0.7"), "InvalidResponse(expired)"],
  ...["1e400", "true", "{}", "[]", "\"NaN\"", "\"Infinity\""].map((literal) =>
    ["R31", `expires_in ${literal}`, withExpiry(literal), "InvalidResponse(lifetime)"] as const
  ),
  ["R31", "expires_in NaN", withExpiry("NaN"), "InvalidResponse(json)"],
  ...["", " ", "a b", "a\nb", "ä", "a\0b", "a\u007f"].map((token) =>
    [
      "R35",
      `access_token ${JSON.stringify(token)}`,
      Answer.token({ access_token: token }),
      "InvalidResponse(token)"
    ] as const
  ),
  ["R36", "a token of 1 MB", Answer.token({ access_token: "x".repeat(1e6) }), "InvalidResponse(tooLarge)"],
  ["R36", "a token of 100 kB", Answer.token({ access_token: "x".repeat(1e5) }), "InvalidResponse(tooLarge)"],
  ["R37", "a token that is a number", Answer.token({ access_token: 42 }), "InvalidResponse(token)"],
  ["R37", "a token that is an object", Answer.token({ access_token: {} }), "InvalidResponse(token)"],
  ["R37", "no token", Answer.token({ access_token: undefined }), "InvalidResponse(token)"],
  ...[undefined, "mac", "N_A", "DPoP", 1].map((type) =>
    [
      "R38",
      `token_type ${JSON.stringify(type)}`,
      Answer.token({ access_token: leaked, token_type: type }),
      "InvalidResponse(tokenType)"
    ] as const
  )
]

const accepted: ReadonlyArray<readonly [row: string, what: string, answer: Answer.Answer, seconds: number]> = [
  ["R20", "gzip that nobody asked for", gzipped(json), 600],
  ["R21", "a content type with parameters", Answer.body(json, { contentType: "application/json; charset=utf-8" }), 600],
  ["R21", "a structured content type", Answer.body(json, { contentType: "application/token+json" }), 600],
  ["R22", "a byte order mark", Answer.body(`\ufeff${json}`), 600],
  ["R25", "keys of the prototype", Answer.body(`{"__proto__":{"error":"x"},"constructor":1,${json.slice(1)}`), 600],
  ["R27", "no expires_in", Answer.json(good), 300],
  ["R27", "expires_in null", withExpiry("null"), 300],
  ["R29", "expires_in as digits", withExpiry("\"3600\""), 3600],
  ["R30", "expires_in with a fraction", withExpiry("3600.7"), 3600],
  ["R32", "expires_in 1e308", withExpiry("1e308"), 86_400],
  ["R32", "expires_in 2^53+1", withExpiry("9007199254740993"), 86_400],
  ["R32", "expires_in ten years", withExpiry("315360000"), 86_400],
  ["R34", "expires_in 1", withExpiry("1"), 1],
  ["R36", "a token of 8 kB", Answer.token({ access_token: "x".repeat(8192), expires_in: 600 }), 600],
  ["R38", "token_type BEARER", Answer.token({ token_type: "BEARER", expires_in: 600 }), 600],
  ["-", "error null, code 0, scope null", Answer.token({ error: null, code: 0, scope: null, expires_in: 600 }), 600]
]

describe("TokenEndpoint", () => {
  for (const step of ["idToken", "accessToken"] as const) {
    describe(step, () => {
      for (const [row, what, answer, reason] of refused) {
        it.effect(`${row}: refuses ${what}`, () =>
          Effect.gen(function*() {
            const result = yield* outcome(step, answer)
            assert.isTrue(Result.isFailure(result))
            if (Result.isSuccess(result)) return
            assert.strictEqual(describeReason(result.failure.reason), reason)
            assert.strictEqual(
              result.failure.operation,
              step === "idToken" ? "clientCredentials" : "tokenExchange"
            )
            assertClean(result.failure)
          }).pipe(Effect.provide(layer)))
      }

      for (const [row, what, answer, seconds] of accepted) {
        it.effect(`${row}: accepts ${what}`, () =>
          Effect.gen(function*() {
            const token = yield* Effect.fromResult(yield* outcome(step, answer))
            assert.strictEqual(Duration.toSeconds(token.lifetime), seconds)
            assert.deepStrictEqual(SecretSweep.find(token, { leaked }), [])
          }).pipe(Effect.provide([layer, Logger.layer([])])))
      }
    })
  }

  for (const type of [undefined, "urn:ietf:params:oauth:token-type:id_token", 7]) {
    it.effect(`R39: refuses issued_token_type ${type} where one is due`, () =>
      Effect.gen(function*() {
        const result = yield* outcome("accessToken", Answer.token({ issued_token_type: type }))
        assert.strictEqual(
          describeReason((yield* Effect.flip(Effect.fromResult(result))).reason),
          "InvalidResponse(issuedTokenType)"
        )
      }).pipe(Effect.provide(layer)))
  }

  for (
    const [what, answer, reason] of [
      ["no issued_token_type", Answer.token({ issued_token_type: undefined }), undefined],
      ["no token_type", Answer.token({ token_type: undefined }), undefined],
      ["no content type", Answer.body(json, { contentType: "" }), undefined],
      ["a wrong issued_token_type", Answer.token({ issued_token_type: "x" }), "InvalidResponse(issuedTokenType)"],
      ["a wrong token_type", Answer.token({ token_type: "mac" }), "InvalidResponse(tokenType)"],
      ["HTML", Answer.body("<p>", { contentType: "text/html" }), "InvalidResponse(json)"]
    ] as const
  ) {
    it.effect(`${reason === undefined ? "accepts" : "refuses"} ${what} when told to be lenient`, () =>
      Effect.gen(function*() {
        const result = yield* outcome("accessToken", answer, { strictness: "lenient" })
        assert.strictEqual(Result.isFailure(result) ? describeReason(result.failure.reason) : undefined, reason)
      }).pipe(Effect.provide(layer)))
  }

  it.live("R33: recognises an absolute time in seconds and in milliseconds", () =>
    Effect.gen(function*() {
      const inTenMinutes = Math.floor((yield* Clock.currentTimeMillis) / 1000) + 600
      for (const literal of [`${inTenMinutes}`, `${inTenMinutes}000`, `"${inTenMinutes}"`]) {
        const token = yield* Effect.fromResult(yield* outcome("idToken", withExpiry(literal)))
        assert.closeTo(Duration.toSeconds(token.lifetime), 600, 2)
      }
      const error = yield* Effect.flip(Effect.fromResult(yield* outcome("idToken", withExpiry("1500000000"))))
      assert.strictEqual(describeReason(error.reason), "InvalidResponse(expired)")
    }).pipe(Effect.provide(layer)))

  it.effect("says what the server said, cleaned and cut, with its log id", () =>
    Effect.gen(function*() {
      const description = `line\u0007one\r\n"two" ${"x".repeat(300)}`
      const result = yield* outcome("idToken", Answer.refusal("invalid_scope", { description }))
      const error = yield* Effect.flip(Effect.fromResult(result))
      assert.strictEqual(error.requestId, "loopback-log-0")
      assert.match(error.message, /^clientCredentials: invalid_scope: line one two x+ \(HTTP 400\)$/)
      assert.isBelow(error.message.length, 260)
    }).pipe(Effect.provide(layer)))

  for (
    const [what, description] of [
      ["the secret", `bad secret ${secret}`],
      ["a part of the secret", `bad secret ${secret.slice(5, 20)}`],
      ["the secret in base64", `bad secret ${Buffer.from(secret).toString("base64")}`],
      ["the secret in hex", `bad secret ${Buffer.from(secret).toString("hex").toUpperCase()}`],
      ["the secret, escaped", `bad secret ${encodeURIComponent(secret)}`],
      ["the secret, cut by control characters", `bad secret ${secret.split("").join("\u0001")}`]
    ] as const
  ) {
    it.effect(`leaves out a description that repeats ${what}`, () =>
      Effect.gen(function*() {
        const result = yield* outcome("idToken", Answer.refusal("invalid_client", { description }))
        const error = yield* Effect.flip(Effect.fromResult(result))
        assert.deepStrictEqual(SecretSweep.find(error, { secret }), [])
      }).pipe(Effect.provide(layer)))
  }

  it.effect("never follows a redirect: the other side sees nobody", () =>
    Effect.gen(function*() {
      const canary = yield* Effect.acquireRelease(
        Effect.callback<{ readonly port: number; readonly seen: () => number; readonly close: () => void }>(
          (resume) => {
            let connections = 0
            const server = createServer((socket) => {
              connections++
              socket.destroy()
            })
            server.listen(0, "127.0.0.1", () => {
              const address = server.address()
              const port = typeof address === "object" && address !== null ? address.port : 0
              resume(Effect.succeed({ port, seen: () => connections, close: () => server.close() }))
            })
          }
        ),
        ({ close }) => Effect.sync(close)
      )
      for (const status of [301, 302, 303, 307, 308]) {
        const result = yield* outcome("idToken", Answer.redirect(`http://127.0.0.1:${canary.port}/`, status))
        assert.strictEqual(
          describeReason((yield* Effect.flip(Effect.fromResult(result))).reason),
          `Status(${status})`
        )
      }
      assert.strictEqual(canary.seen(), 0)
    }).pipe(Effect.provide(layer)))

  for (
    const [what, answer, detail] of [
      ["never answers", Answer.hang, "headers"],
      ["stalls in the body", Answer.stall("{\"a\""), "body"]
    ] as const
  ) {
    it.live(`gives up after its timeout on a server that ${what}, and closes the connection`, () =>
      Effect.gen(function*() {
        const platform = yield* Platform.Platform
        const result = yield* outcome("idToken", answer, { timeout: "50 millis" })
        const error = yield* Effect.flip(Effect.fromResult(result))
        assert.strictEqual(describeReason(error.reason), `Timeout(${detail})`)
        assert.isTrue(error.isRetryable)
        yield* platform.requestsUntil(([request]) => request?.outcome === "closed")
      }).pipe(Effect.provide(layer)))
  }

  for (
    const [what, answer] of [
      ["grows too large", Answer.flood(50e6)],
      ["is a redirect that goes on", Answer.stall("moved", { status: 307, headers: { location: "/elsewhere" } })],
      ["has an encoding nobody knows", Answer.stall("?", { headers: { "content-encoding": "compress" } })]
    ] as const
  ) {
    it.effect(`drops the connection when an answer ${what}`, () =>
      Effect.gen(function*() {
        const platform = yield* Platform.Platform
        assert.isTrue(Result.isFailure(yield* outcome("idToken", answer)))
        yield* platform.requestsUntil(([request]) => request?.outcome === "closed")
      }).pipe(Effect.provide(layer)))
  }

  it.effect("refuses a token that expired on the way", () =>
    Effect.gen(function*() {
      const platform = yield* Platform.Platform
      yield* platform.script("idToken", Answer.delayed("2 seconds", Answer.token({ expires_in: 1 })))
      const waiting = yield* Effect.forkChild(Effect.flip(idToken()), { startImmediately: true })
      yield* platform.requestsUntil((requests) => requests.length === 1)
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(describeReason((yield* Fiber.join(waiting)).reason), "InvalidResponse(expired)")
    }).pipe(Effect.provide(layer)))

  it.effect("names a connection that was refused", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Retry.once(ClientCredentials.token({
        endpoint: endpointAt("http://127.0.0.1:1/token"),
        clientId: "app",
        clientSecret: Redacted.make(secret)
      })))
      assert.strictEqual(describeReason(error.reason), "Transport(refused)")
      assertClean(error)
    }).pipe(Effect.provide(NodeHttpClient.layerNodeHttp)))

  it.effect("sends a secret of any characters so that the other side gets exactly it", () =>
    Effect.gen(function*() {
      const platform = yield* Platform.Platform
      yield* idToken()
      const [request] = yield* platform.requests
      assert.deepStrictEqual(request?.form, [
        ["client_id", "app"],
        ["client_secret", secret],
        ["grant_type", "client_credentials"]
      ])
    }).pipe(Effect.provide(layer)))

  it.effect("warns when the server did not say how long a token lives", () =>
    Effect.gen(function*() {
      const lines: Array<unknown> = []
      const logger = Logger.make(({ message }) => {
        lines.push(message)
      })
      yield* outcome("idToken", Answer.json(good)).pipe(Effect.provide(Logger.layer([logger])))
      assert.lengthOf(lines, 1)
      assert.deepStrictEqual(SecretSweep.find(lines, { leaked, secret }), [])
    }).pipe(Effect.provide(layer)))
})
