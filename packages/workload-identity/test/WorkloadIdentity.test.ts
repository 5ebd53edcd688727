import { Retry } from "@effect-identity/oauth"
import { Answer, Platform, SecretSweep } from "@effect-identity/testing"
import {
  AccessToken,
  Config,
  HttpClient,
  Lane,
  OutboundAuth,
  TokenCache,
  WorkloadIdentity,
  WorkloadIdentityError
} from "@effect-identity/workload-identity"
import { NodeWorkloadIdentity } from "@effect-identity/workload-identity/node"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Duration, Effect, Fiber, Layer, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { readFileSync } from "node:fs"
import { setImmediate } from "node:timers/promises"

const { WorkloadIdentity: Identity } = WorkloadIdentity

/** The identity that an environment describes, as one fresh program would build it. */
const identityOf = (
  env: Readonly<Record<string, string>>,
  options: { readonly config?: Config.Options; readonly cache?: Layer.Layer<TokenCache.TokenCache> } = {}
) =>
  Layer.build(
    NodeWorkloadIdentity.layerNodeHttp.pipe(
      Layer.provide(options.cache ?? TokenCache.layer),
      Layer.provide(Config.layer(options.config)),
      Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnvRecord(env)))
    )
  ).pipe(Effect.flatMap((context) => Effect.provide(Identity, Layer.succeedContext(context))))

const fresh = TokenCache.layerLocal()

const valueOf = (token: AccessToken.AccessToken) => Redacted.value(token.value)

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"))

describe("WorkloadIdentity", () => {
  for (const endpoints of ["one", "two"] as const) {
    it.effect(`takes the two steps as they are on the wire, at ${endpoints === "one" ? "one address" : "two addresses"}`, () =>
      Effect.gen(function*() {
        const platform = yield* Platform.Platform
        const identity = yield* identityOf({ ...platform.env, COZE_SERVER_ENV: "ppe_blue" })
        const token = yield* identity.accessToken
        const [first, second, ...rest] = yield* platform.requests
        assert.lengthOf(rest, 0)
        assert.isDefined(first)
        assert.isDefined(second)
        if (first === undefined || second === undefined) return

        assert.deepStrictEqual(first.form, [
          ["client_id", "loopback-client"],
          ["client_secret", "loopback-client-secret"],
          ["grant_type", "client_credentials"]
        ])
        assert.deepStrictEqual(second.form.map(([name]) => name), [
          "client_id",
          "subject_token",
          "subject_token_type",
          "grant_type"
        ])
        assert.strictEqual(second.field("client_id"), "loopback-client")
        assert.match(second.field("subject_token") ?? "", /^id-token-/)
        assert.strictEqual(second.field("subject_token_type"), "urn:ietf:params:oauth:token-type:id_token")
        assert.strictEqual(second.field("grant_type"), "urn:ietf:params:oauth:grant-type:token-exchange")
        assert.match(valueOf(token), /^access-token-/)

        const paths = endpoints === "one"
          ? ["/.well-known/token", "/.well-known/token"]
          : ["/id-token", "/access-token"]
        assert.deepStrictEqual([first.path, second.path], paths)
        for (const { headers, method } of [first, second]) {
          assert.strictEqual(method, "POST")
          assert.strictEqual(headers["content-type"], "application/x-www-form-urlencoded")
          assert.strictEqual(headers["user-agent"], `coze-workload-identity/${version}`)
          assert.strictEqual(headers["x-tt-env"], "ppe_blue")
          assert.strictEqual(headers["x-use-ppe"], "1")
          assert.isUndefined(headers["authorization"])
          assert.isUndefined(headers["traceparent"])
          assert.isUndefined(headers["b3"])
        }
      }).pipe(Effect.provide(Platform.layer({ endpoints }))))
  }

  it.effect("asks each step once for 10,000 first callers", () =>
    Effect.gen(function*() {
      const platform = yield* Platform.Platform
      const identity = yield* identityOf(platform.env)
      const tokens = yield* Effect.all(Array.from({ length: 10_000 }, () => identity.accessToken), {
        concurrency: "unbounded"
      })
      assert.lengthOf(new Set(tokens.map(valueOf)), 1)
      assert.deepStrictEqual((yield* platform.requests).map(({ step }) => step), ["idToken", "accessToken"])
    }).pipe(Effect.provide(Platform.layer())))

  for (
    const [who, leaves] of [
      ["the first caller", (index: number) => index === 0],
      ["every other caller", (index: number) => index % 2 === 0],
      ["everyone but the last", (index: number) => index < 99]
    ] as const
  ) {
    it.effect(`leaves the rest with the token when ${who} is interrupted`, () =>
      Effect.gen(function*() {
        const platform = yield* Platform.Platform
        yield* platform.behave({ delay: "1 second" })
        const identity = yield* identityOf(platform.env)
        const callers = yield* Effect.forEach(
          Array.from({ length: 100 }),
          () => Effect.forkChild(identity.accessToken, { startImmediately: true })
        )
        yield* platform.requestsUntil((requests) => requests.length === 1)
        yield* Fiber.interruptAll(callers.filter((_, index) => leaves(index)))
        yield* TestClock.adjust("1 second")
        yield* platform.requestsUntil((requests) => requests.length === 2)
        yield* TestClock.adjust("1 second")
        const tokens = yield* Fiber.joinAll(callers.filter((_, index) => !leaves(index)))
        assert.lengthOf(new Set(tokens.map(valueOf)), 1)
        assert.lengthOf(yield* platform.requests, 2)
      }).pipe(Effect.provide(Platform.layer())))
  }

  it.effect("closes the socket on the platform's side when all callers are interrupted, and serves the next one", () =>
    Effect.gen(function*() {
      const platform = yield* Platform.Platform
      yield* platform.script("idToken", Answer.hang)
      const identity = yield* identityOf(platform.env)
      const callers = yield* Effect.forEach(
        Array.from({ length: 100 }),
        () => Effect.forkChild(identity.accessToken, { startImmediately: true })
      )
      yield* platform.requestsUntil((requests) => requests.length === 1)
      yield* Fiber.interruptAll(callers)
      yield* platform.requestsUntil(([request]) => request?.outcome === "closed")
      assert.match(valueOf(yield* identity.accessToken), /^access-token-/)
    }).pipe(Effect.provide(Platform.layer())))

  for (const seconds of [3600, 600, 300, 60, 30, 10]) {
    it.effect(`flies once per refresh period for tokens of ${seconds} s, not once per read`, () =>
      Effect.gen(function*() {
        const platform = yield* Platform.Platform
        yield* platform.behave({ lifetime: Duration.seconds(seconds) })
        const identity = yield* identityOf(platform.env)
        for (let read = 0; read < 300; read++) {
          const token = yield* identity.accessToken
          assert.isAbove(Duration.toMillis(yield* AccessToken.remaining(token)), 0)
          // The sockets are real and the clock is not: it has to stand while something is on its way.
          while ((yield* identity.diagnose).cache.isAsking) yield* Effect.promise(() => setImmediate())
          yield* TestClock.adjust(Duration.millis(seconds * 10))
        }
        const shortestPeriod = Math.min(0.7 * seconds, 0.9 * (seconds - Math.min(60, seconds / 2)))
        const requests = (yield* platform.requests).length
        assert.isAtLeast(requests, 2 * 4)
        assert.isAtMost(requests, 2 * (1 + 3 * seconds / shortestPeriod))
      }).pipe(Effect.provide(Platform.layer())))
  }

  describe("isolation", () => {
    const clients = [
      { clientId: "app", clientSecret: "secret-one" },
      { clientId: "app", clientSecret: "secret-two" },
      { clientId: "app2", clientSecret: "secret-one" }
    ] as const

    for (
      const [what, change] of [
        ["secrets", { COZE_WORKLOAD_IDENTITY_CLIENT_SECRET: "secret-two" }],
        ["client ids", { COZE_WORKLOAD_IDENTITY_CLIENT_ID: "app2" }],
        ["lanes", { COZE_SERVER_ENV: "boe_x" }]
      ] as const
    ) {
      it.effect(`never shares a token between different ${what}`, () =>
        Effect.gen(function*() {
          const platform = yield* Platform.Platform
          const one = yield* identityOf(platform.env)
          const other = yield* identityOf({ ...platform.env, ...change })
          assert.notStrictEqual(valueOf(yield* one.accessToken), valueOf(yield* other.accessToken))
          assert.lengthOf(yield* platform.requests, 4)
        }).pipe(Effect.provide(Platform.layer({ clients }))))
    }

    for (const variable of ["COZE_WORKLOAD_IDENTITY_TOKEN_ENDPOINT", "COZE_WORKLOAD_ACCESS_TOKEN_ENDPOINT"] as const) {
      it.effect(`never shares a token between different values of ${variable}`, () =>
        Effect.gen(function*() {
          const platform = yield* Platform.Platform
          const one = yield* identityOf(platform.env)
          const other = yield* identityOf({ ...platform.env, [variable]: `${platform.env[variable]}?other` })
          yield* platform.script(
            variable === "COZE_WORKLOAD_IDENTITY_TOKEN_ENDPOINT" ? "idToken" : "accessToken",
            Answer.token(),
            Answer.token()
          )
          if (variable === "COZE_WORKLOAD_IDENTITY_TOKEN_ENDPOINT") {
            yield* platform.script("accessToken", Answer.token(), Answer.token())
          }
          yield* one.accessToken
          yield* other.accessToken
          assert.lengthOf(yield* platform.requests, 4)
        }).pipe(Effect.provide(Platform.layer())))
    }

    it.effect("never hands a token earned with the right secret to someone with a wrong one", () =>
      Effect.gen(function*() {
        const platform = yield* Platform.Platform
        const right = yield* identityOf(platform.env)
        const wrong = yield* identityOf({ ...platform.env, COZE_WORKLOAD_IDENTITY_CLIENT_SECRET: "guess" })
        yield* right.accessToken
        const error = yield* Effect.flip(wrong.accessToken)
        assert.strictEqual(error.oauthCode, "invalid_client")
      }).pipe(Effect.provide(Platform.layer())))

    it.effect("shares a token between two that are the same", () =>
      Effect.gen(function*() {
        const platform = yield* Platform.Platform
        const one = yield* identityOf(platform.env)
        const same = yield* identityOf({ ...platform.env, COZE_SERVER_ENV: "NONE" })
        assert.strictEqual(valueOf(yield* one.accessToken), valueOf(yield* same.accessToken))
        assert.lengthOf(yield* platform.requests, 2)
      }).pipe(Effect.provide(Platform.layer())))
  })

  describe("failing", () => {
    for (
      const [step, name, prefix] of [
        ["idToken", "TokenRetrievalError", "retrieve"],
        ["accessToken", "TokenExchangeError", "exchange"]
      ] as const
    ) {
      for (
        const [answer, fields] of [
          [Answer.refusal("invalid_grant", { description: "no such grant" }), {
            message: "Token request failed: invalid_grant: no such grant (HTTP 400)",
            reason: "OAuth",
            retryable: false,
            httpStatus: 400,
            oauthCode: "invalid_grant"
          }],
          [Answer.json({ code: 4100, msg: "denied" }), {
            message: "Token request failed: code 4100: denied (HTTP 200)",
            reason: "OAuth",
            retryable: false,
            httpStatus: 200,
            apiCode: 4100
          }],
          [Answer.body("", { status: 503 }), {
            message: `Failed to ${prefix} token: HTTP 503`,
            reason: "Status",
            retryable: true,
            httpStatus: 503
          }],
          [Answer.redirect("/elsewhere"), {
            message: `Failed to ${prefix} token: HTTP 307 (redirects are not followed)`,
            reason: "Status",
            retryable: false,
            httpStatus: 307
          }],
          [Answer.token({ expires_in: 0 }), {
            message: `Failed to ${prefix} token: invalid answer: token has already expired (HTTP 200)`,
            reason: "InvalidResponse",
            detail: "expired",
            retryable: false,
            httpStatus: 200
          }]
        ] as const
      ) {
        it.effect(`at ${step} gives a ${name} that says ${JSON.stringify(fields.message)}`, () =>
          Effect.gen(function*() {
            const platform = yield* Platform.Platform
            yield* platform.script(step, answer)
            const identity = yield* identityOf(platform.env)
            const error = yield* Effect.flip(Retry.once(identity.accessToken))
            assert.strictEqual(error._tag, name)
            const { message, name: shownName, _tag, logId, ...details } = JSON.parse(JSON.stringify(error))
            assert.deepStrictEqual({ message, ...details }, { ...fields, step })
            assert.strictEqual(shownName, name)
            assert.strictEqual(_tag, name)
            assert.strictEqual(logId, `loopback-log-${step === "idToken" ? 0 : 1}`)
            assert.deepStrictEqual(
              SecretSweep.find(error, {
                secret: "loopback-client-secret",
                idToken: (yield* platform.requests)[1]?.field("subject_token") ?? "loopback-client-secret"
              }),
              []
            )

            assert.strictEqual((yield* Effect.flip(identity.accessToken)).message, error.message)
            yield* TestClock.adjust("30 seconds")
            assert.match(
              valueOf(yield* identity.accessToken),
              /^access-token-/,
              "a failure was remembered for too long"
            )
          }).pipe(Effect.provide(Platform.layer())))
      }
    }

    const date = "Wed, 21 Oct 2026 07:28:00 GMT"
    for (
      const [headers, expected] of [
        [{ "retry-after": "7" }, 7000],
        [{ "retry-after": "0" }, 0],
        [{ "retry-after": "999999999" }, 3_600_000],
        [{ "retry-after": "Wed, 21 Oct 2026 07:28:30 GMT", date }, 30_000],
        [{ "retry-after": "Wed, 21 Oct 2026 07:27:00 GMT", date }, 0],
        [{ "retry-after": "Thu, 22 Oct 2026 07:28:00 GMT", date }, 3_600_000],
        [{ "retry-after": "-1" }, undefined],
        [{ "retry-after": "soon" }, undefined],
        [{ "retry-after": "1e3" }, undefined],
        [{}, undefined]
      ] as const
    ) {
      it.effect(`tells how long to wait after ${JSON.stringify(headers)}`, () =>
        Effect.gen(function*() {
          const platform = yield* Platform.Platform
          const identity = yield* identityOf(platform.env)
          yield* identity.accessToken
          yield* platform.script("projectEnvVars", Answer.body("", { status: 503, headers }))
          const outbound = yield* Effect.flip(Retry.once(identity.projectEnvVars))
          assert.deepStrictEqual([outbound.reason, outbound.httpStatus], ["Status", 503])
          assert.strictEqual(outbound.retryAfterMs, expected)
          yield* platform.script("accessToken", Answer.body("", { status: 429, headers }))
          const error = yield* Effect.flip(Retry.once(identity.refreshedAccessToken))
          assert.deepStrictEqual([error.reason, error.httpStatus, error.retryable], ["Throttled", 429, true])
          assert.strictEqual(error.retryAfterMs, expected ?? 5000)
        }).pipe(Effect.provide(Platform.layer())))
    }

    it.live("gives up on a step after the timeout of the configuration", () =>
      Effect.gen(function*() {
        const platform = yield* Platform.Platform
        // Whether there is time for another attempt is left to chance, so none of them is answered.
        yield* platform.behave({ delay: "1 minute" })
        const identity = yield* identityOf(platform.env, { config: { timeout: "200 millis" } })
        const error = yield* Effect.flip(identity.accessToken)
        assert.strictEqual(error._tag, "TokenRetrievalError")
        assert.strictEqual(error.reason, "Timeout")
        yield* platform.requestsUntil((requests) => requests[0]?.outcome === "closed")
      }).pipe(Effect.provide(Platform.layer())))
  })

  it.effect("runs over fetch as well, without following a redirect", () =>
    Effect.gen(function*() {
      const platform = yield* Platform.Platform
      const identity = yield* Layer.build(
        WorkloadIdentity.layer.pipe(
          Layer.provide(OutboundAuth.layer),
          Layer.provide([Lane.layer, HttpClient.layerFetch, fresh]),
          Layer.provide(Config.layer()),
          Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnvRecord(platform.env)))
        )
      ).pipe(Effect.flatMap((context) => Effect.provide(Identity, Layer.succeedContext(context))))
      yield* platform.script("idToken", Answer.redirect("/elsewhere"))
      assert.strictEqual((yield* Effect.flip(identity.accessToken)).httpStatus, 307)
      yield* TestClock.adjust("2 seconds")
      assert.match(valueOf(yield* identity.accessToken), /^access-token-/)
      const requests = yield* platform.requests
      assert.lengthOf(requests, 3)
      assert.strictEqual(requests[2]?.headers["user-agent"], `coze-workload-identity/${version}`)
    }).pipe(Effect.provide(Platform.layer())))

  describe("layerTest", () => {
    it.effect("answers with the token it was given", () =>
      Effect.gen(function*() {
        const identity = yield* Identity
        assert.strictEqual(valueOf(yield* identity.accessToken), "offline")
      }).pipe(Effect.provide(WorkloadIdentity.layerTest({ accessToken: "offline" }))))

    it.effect("fails with the error it was given", () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(Identity.use((identity) => identity.accessToken))
        assert.strictEqual(error.step, "accessToken")
      }).pipe(Effect.provide(WorkloadIdentity.layerTest({
        accessToken: new WorkloadIdentityError.TokenExchangeError("denied", {
          step: "accessToken",
          reason: "OAuth",
          retryable: false
        })
      }))))
  })
})
