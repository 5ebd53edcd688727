import { ClientCredentials, type OAuthError, SecureUrl, TokenExchange } from "@effect-identity/oauth"
import { SpanRecorder } from "@effect-identity/testing"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Redacted, Result, Tracer } from "effect"
import { HttpClient, HttpClientResponse } from "effect/http"
import { TestClock } from "effect/testing"

const endpoint = { url: Result.getOrThrow(SecureUrl.parse("https://issuer.example:8443/token")) }

const token = {
  access_token: "t0ken",
  token_type: "Bearer",
  issued_token_type: TokenExchange.tokenTypes.accessToken,
  expires_in: 3600
}

/** An issuer that gives these answers one after the other, and what it was sent. */
const makeIssuer = (...answers: ReadonlyArray<() => Response>) => {
  const bodies: Array<string> = []
  const client = HttpClient.make((request) => {
    if (request.body._tag === "Uint8Array") bodies.push(new TextDecoder().decode(request.body.body))
    const answer = answers[bodies.length - 1]
    return answer === undefined
      ? Effect.never
      : Effect.sync(() => HttpClientResponse.fromWeb(request, answer()))
  })
  return {
    bodies,
    at: <A, E>(effect: Effect.Effect<A, E, HttpClient.HttpClient>) =>
      Effect.provideService(effect, HttpClient.HttpClient, client)
  }
}

const json = (value: unknown, init: ResponseInit = {}) => () => Response.json(value, init)

const idToken = ClientCredentials.token({ endpoint, clientId: "app", clientSecret: Redacted.make("client-secret") })

const failing = Effect.fnUntraced(function*<A>(
  effect: Effect.Effect<A, OAuthError.OAuthError>,
  adjust: Duration.Input = 0
) {
  const fiber = yield* Effect.forkChild(Effect.flip(effect), { startImmediately: true })
  yield* TestClock.adjust(adjust)
  return yield* Fiber.join(fiber)
})

describe("TokenEndpoint", () => {
  it.live("asks again where that can help", () =>
    Effect.gen(function*() {
      const issuer = makeIssuer(json({}, { status: 503 }), json({ error: "temporarily_unavailable" }), json(token))
      assert.strictEqual(Redacted.value((yield* issuer.at(idToken)).value), "t0ken")
      assert.lengthOf(issuer.bodies, 3)
    }))

  it.effect("asks once where it cannot", () =>
    Effect.gen(function*() {
      const issuer = makeIssuer(json({ error: "invalid_client" }, { status: 401 }))
      assert.strictEqual((yield* failing(issuer.at(idToken))).message, "clientCredentials: invalid_client (HTTP 401)")
      assert.lengthOf(issuer.bodies, 1)
    }))

  for (
    const [headers, wait] of [[{ "retry-after": "7" }, 7000], [{}, 5000]] as const
  ) {
    it.effect(`waits ${wait} ms when it is throttled with ${JSON.stringify(headers)}`, () =>
      Effect.gen(function*() {
        const issuer = makeIssuer(json({ error: "slow_down" }, { status: 429, headers }), json(token))
        const fiber = yield* Effect.forkChild(issuer.at(idToken), { startImmediately: true })
        yield* TestClock.adjust(Duration.millis(wait - 1))
        assert.lengthOf(issuer.bodies, 1)
        yield* TestClock.adjust("1 millis")
        yield* Fiber.join(fiber)
        assert.lengthOf(issuer.bodies, 2)
      }))
  }

  it.effect("says at once how long to wait when there is no time for it, and nothing of the kind otherwise", () =>
    Effect.gen(function*() {
      const throttled = makeIssuer(json({ error: "slow_down" }, { status: 429, headers: { "retry-after": "60" } }))
      const error = yield* failing(throttled.at(idToken))
      assert.strictEqual(error.message, "clientCredentials: throttled, slow_down (HTTP 429)")
      assert.strictEqual(Duration.toMillis(error.retryAfter ?? 0), 60_000)
      const refused = makeIssuer(json({ error: "invalid_scope" }, { status: 400 }))
      assert.isUndefined((yield* failing(refused.at(idToken))).retryAfter)
      const empty = makeIssuer(() => new Response("", { status: 429, headers: { "retry-after": "60" } }))
      assert.strictEqual((yield* failing(empty.at(idToken))).message, "clientCredentials: throttled (HTTP 429)")
    }))

  it.effect("gives up after its timeout, on everything", () =>
    Effect.gen(function*() {
      const error = yield* failing(makeIssuer().at(idToken), "30 seconds")
      assert.strictEqual(error.message, "clientCredentials: timed out while waiting for an answer")
      const hasty = ClientCredentials.token({
        endpoint: { ...endpoint, timeout: "1 millis" },
        clientId: "app",
        clientSecret: Redacted.make("client-secret")
      })
      assert.isTrue((yield* failing(makeIssuer().at(hasty), "1 millis")).isRetryable)
    }))

  it.effect("names its spans and what became of them, and no secret", () =>
    Effect.gen(function*() {
      const { spans, tracer } = SpanRecorder.make()
      const exchange = TokenExchange.token({
        endpoint,
        clientId: "app",
        subjectToken: Redacted.make("subject"),
        subjectTokenType: TokenExchange.tokenTypes.idToken
      })
      const issuer = makeIssuer(json(token), json({ error: "invalid_grant" }, { status: 400 }))
      yield* Effect.provideService(
        Effect.andThen(issuer.at(idToken), failing(issuer.at(exchange))),
        Tracer.Tracer,
        tracer
      )
      assert.deepStrictEqual(spans.map(({ kind, name }) => [name, kind]), [
        ["ClientCredentials.token", "client"],
        ["TokenExchange.token", "client"]
      ])
      const common = { "http.request.method": "POST", "server.address": "issuer.example", "server.port": 8443 }
      assert.deepStrictEqual(spans.map(({ attributes }) => Object.fromEntries(attributes)), [
        { ...common, "http.response.status_code": 200 },
        { ...common, "http.response.status_code": 400, "error.type": "OAuth" }
      ])
      assert.deepStrictEqual(Array.from(new URLSearchParams(issuer.bodies[1])), [
        ["client_id", "app"],
        ["subject_token", "subject"],
        ["subject_token_type", "urn:ietf:params:oauth:token-type:id_token"],
        ["grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"]
      ])
    }))

  for (
    const [scope, expected] of [["a b", "a b"], ["", undefined], [7, undefined], [undefined, undefined]] as const
  ) {
    it.effect(`reads the scope ${JSON.stringify(scope)} as ${JSON.stringify(expected)}`, () =>
      Effect.gen(function*() {
        const found = yield* makeIssuer(json({ ...token, scope })).at(idToken)
        assert.strictEqual(found.scope, expected)
        assert.strictEqual(found.tokenType, "Bearer")
        assert.strictEqual(String(found.value), "<redacted:access_token>")
      }))
  }

  for (
    const [body, message] of [
      [{ error: "invalid_grant", code: 4100, msg: "m" }, "invalid_grant: m (HTTP 400)"],
      [{ error: "invalid_grant", error_description: "d", errcode: 7, errmsg: "m" }, "invalid_grant: d (HTTP 400)"],
      [{ error_code: "x1", error_message: "  m\n\u0000m  " }, "code x1: m m (HTTP 400)"],
      [{ code: "0", errcode: 0, error_code: "" }, "HTTP 400"],
      [{ code: null }, "HTTP 400"],
      [{ error: "client-secret" }, "refused (HTTP 400)"],
      [{ error: "invalid_grant", error_description: "no client-secret here" }, "invalid_grant (HTTP 400)"],
      [{ error: "invalid_grant", error_description: "Y2xpZW50LXNlY3JldA==" }, "invalid_grant (HTTP 400)"],
      [{ error: "invalid_grant", error_description: "\u0000\n" }, "invalid_grant (HTTP 400)"],
      [{ error: "has blanks" }, "refused (HTTP 400)"],
      [{ error: "x".repeat(101) }, "refused (HTTP 400)"]
    ] as const
  ) {
    it.effect(`tells ${JSON.stringify(body).slice(0, 60)} as ${message}`, () =>
      Effect.gen(function*() {
        const error = yield* failing(makeIssuer(json(body, { status: 400 })).at(idToken))
        assert.strictEqual(error.message, `clientCredentials: ${message}`)
      }))
  }

  it.effect("tells the code of a vendor beside that of the standard", () =>
    Effect.gen(function*() {
      const { reason } = yield* failing(makeIssuer(json({ error: "x", code: 4100 }, { status: 400 })).at(idToken))
      assert.deepInclude({ ...reason }, { code: "x", apiCode: 4100 })
    }))

  for (
    const [status, body, message] of [
      [204, null, "invalid answer: body is empty (HTTP 204)"],
      [205, null, "invalid answer: body is empty (HTTP 205)"],
      [201, JSON.stringify(token), "HTTP 201"],
      [302, "{\"error\":\"invalid_grant\"}", "HTTP 302 (redirects are not followed)"]
    ] as const
  ) {
    it.effect(`refuses the status ${status}`, () =>
      Effect.gen(function*() {
        const issuer = makeIssuer(() => new Response(body, { status, headers: { "content-type": "application/json" } }))
        assert.strictEqual((yield* failing(issuer.at(idToken))).message, `clientCredentials: ${message}`)
      }))
  }
})
