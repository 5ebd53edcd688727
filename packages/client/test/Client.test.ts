import {
  Client,
  ConfigurationError,
  envKeys,
  OutboundAuthError,
  ProjectEnvVars,
  TokenExchangeError,
  TokenRetrievalError,
  WorkloadIdentityError
} from "@effect-identity/client"
import { Answer, Platform, SecretSweep } from "@effect-identity/testing"
import { afterEach, assert, beforeEach, describe, it, vi } from "@effect/vitest"
import { Effect, ManagedRuntime } from "effect"

const required = [
  envKeys.COZE_WORKLOAD_IDENTITY_CLIENT_ID,
  envKeys.COZE_WORKLOAD_IDENTITY_CLIENT_SECRET,
  envKeys.COZE_WORKLOAD_IDENTITY_TOKEN_ENDPOINT,
  envKeys.COZE_WORKLOAD_ACCESS_TOKEN_ENDPOINT
]

const clients = [
  { clientId: "app", clientSecret: "facade-secret-one" },
  { clientId: "app", clientSecret: "facade-secret-two" }
] as const

let stop: () => Promise<void>
let platform: Platform.Platform["Service"]

const start = async (options?: Platform.Options) => {
  const runtime = ManagedRuntime.make(Platform.layer(options))
  platform = await runtime.runPromise(Platform.Platform)
  stop = () => runtime.dispose()
  for (const [name, value] of Object.entries(platform.env)) vi.stubEnv(name, value)
}

const rejection = async (promise: Promise<unknown>): Promise<unknown> => {
  try {
    await promise
  } catch (error) {
    return error
  }
  return assert.fail("should have been rejected")
}

const seen = () => Effect.runPromise(platform.requests)
const script = (...args: Parameters<typeof platform.script>) => Effect.runPromise(platform.script(...args))
const seenUntil = (...args: Parameters<typeof platform.requestsUntil>) =>
  Effect.runPromise(platform.requestsUntil(...args))

beforeEach(async () => {
  await start({
    clients,
    credentials: { mail: "{\"user\":\"a\"}", text: "COZE_CRED_DUMMY_42", broken: "not-json-5d1f7a" },
    variables: [{ key: "REGION", value: "cn" }, { key: "FACADE_TEST_VARIABLE", value: "1" }]
  })
})

afterEach(async () => {
  await stop()
  vi.unstubAllEnvs()
})

describe("Client", () => {
  it("gets an access token as a string, and remembers it", async () => {
    const client = new Client()
    const token = await client.getAccessToken()
    assert.match(token, /^access-token-/)
    assert.strictEqual(await client.getAccessToken(), token)
    assert.lengthOf(await seen(), 2)
  })

  it("asks each step once for 10,000 first callers", async () => {
    const client = new Client()
    const tokens = await Promise.all(Array.from({ length: 10_000 }, () => client.getAccessToken()))
    assert.lengthOf(new Set(tokens), 1)
    assert.lengthOf(await seen(), 2)
  })

  it("shares the token between clients of one identity, and keeps working after close", async () => {
    const one = new Client()
    const token = await one.getAccessToken()
    await one.close()
    await one.close()
    const other = new Client({ timeoutMs: 1000 })
    assert.strictEqual(await other.getAccessToken(), token)
    assert.strictEqual(await one.getAccessToken(), token)
    assert.lengthOf(await seen(), 2)
  })

  it("never shares a token between different secrets or lanes", async () => {
    const one = await new Client().getAccessToken()
    vi.stubEnv(envKeys.COZE_WORKLOAD_IDENTITY_CLIENT_SECRET, clients[1].clientSecret)
    const otherSecret = await new Client().getAccessToken()
    vi.stubEnv(envKeys.COZE_SERVER_ENV, "boe_x")
    const otherLane = await new Client().getAccessToken()
    assert.lengthOf(new Set([one, otherSecret, otherLane]), 3)
    assert.lengthOf(await seen(), 6)
  })

  it("reads the environment once, when it is made", async () => {
    const client = new Client()
    for (const name of required) vi.stubEnv(name, undefined)
    assert.match(await client.getAccessToken(), /^access-token-/)
  })

  it("gets a new token when it is told to", async () => {
    const client = new Client()
    const token = await client.getAccessToken()
    const forced = await client.getAccessToken({ forceRefresh: true })
    assert.notStrictEqual(forced, token)
    assert.strictEqual(await client.getAccessToken(), forced)
    assert.lengthOf(await seen(), 4)
  })

  it("gets integration credentials, placeholders untouched, as text and as JSON", async () => {
    const client = new Client()
    assert.strictEqual(await client.getIntegrationCredential("text"), "COZE_CRED_DUMMY_42")
    assert.deepStrictEqual(await client.getIntegrationCredentialJson("mail"), { user: "a" })
    const error = await rejection(client.getIntegrationCredentialJson("broken"))
    assert.instanceOf(error, OutboundAuthError)
    assert.strictEqual(error.detail, "credentialJson")
    assert.deepStrictEqual(SecretSweep.find(error, { credential: "not-json-5d1f7a" }), [])
    const unknown = await rejection(client.getIntegrationCredential("other"))
    assert.instanceOf(unknown, OutboundAuthError)
    assert.strictEqual(unknown.message, "Integration credential API error: code=1001, msg=integration not found")
  })

  it("gets the variables of the project", async () => {
    const vars = await new Client().getProjectEnvVars()
    assert.instanceOf(vars, ProjectEnvVars)
    assert.deepStrictEqual(Array.from(vars, ({ key, value }) => `${key}=${value}`), [
      "REGION=cn",
      "FACADE_TEST_VARIABLE=1"
    ])
    assert.strictEqual(vars.get("REGION"), "cn")
    assert.strictEqual(vars.get("NONE", "default"), "default")
    assert.throws(() => vars.getOrThrow("NONE"), "Environment variable 'NONE' not found")
    assert.isTrue(vars.has("REGION"))
    assert.strictEqual(vars.size, 2)
    assert.deepStrictEqual(vars.toRecord(), { REGION: "cn", FACADE_TEST_VARIABLE: "1" })
    vi.stubEnv("FACADE_TEST_VARIABLE", undefined)
    vi.stubEnv("REGION", "already")
    assert.deepStrictEqual(vars.loadIntoEnv(), { loaded: ["FACADE_TEST_VARIABLE"], kept: ["REGION"], skipped: [] })
    assert.strictEqual(process.env["FACADE_TEST_VARIABLE"], "1")
  })

  it("remembers the variables of the project for those who want that", async () => {
    const client = new Client({ projectEnvVarsLifetimeMs: 10_000 })
    await Promise.all(Array.from({ length: 100 }, () => client.getProjectEnvVars({ remembered: true })))
    assert.lengthOf(await seen(), 3)
    await client.getProjectEnvVars()
    assert.lengthOf(await seen(), 4)
  })

  it("says that there is nowhere to ask for either", async () => {
    vi.stubEnv(envKeys.COZE_OUTBOUND_AUTH_ENDPOINT, undefined)
    const client = new Client()
    for (const call of [client.getIntegrationCredential("mail"), client.getProjectEnvVars()]) {
      const error = await rejection(call)
      assert.instanceOf(error, ConfigurationError)
      assert.include(error.message, "COZE_OUTBOUND_AUTH_ENDPOINT")
    }
    assert.lengthOf(await seen(), 0)
  })

  it("diagnoses itself without showing a value", async () => {
    vi.stubEnv(envKeys.COZE_SERVER_ENV, "ppe_lane-4c1d99")
    vi.stubEnv(envKeys.COZE_OUTBOUND_AUTH_PROXY, "http://proxy-4c1d99.example")
    vi.stubEnv(envKeys.identity_ticket, undefined)
    const client = new Client()
    const fresh = await client.diagnose()
    assert.strictEqual(fresh.lane, "ppe")
    assert.isUndefined(fresh.token)
    assert.deepStrictEqual(fresh.failures, {})
    assert.deepStrictEqual(fresh.variables.slice(0, 2), [
      { name: "COZE_WORKLOAD_IDENTITY_CLIENT_ID", state: "set" },
      { name: "COZE_WORKLOAD_IDENTITY_CLIENT_SECRET", state: "set" }
    ])
    assert.deepStrictEqual(fresh.proxy, {
      proxy: "invalid",
      ca: "default",
      certificates: 0,
      issues: [{ name: "identity_ticket", rule: "is missing" }]
    })

    const token = await client.getAccessToken()
    await client.getAccessToken({ forceRefresh: true })
    await script("idToken", Answer.refusal("invalid_client", { status: 401 }))
    await rejection(client.getAccessToken({ forceRefresh: true }))
    await rejection(client.getIntegrationCredential("other"))
    const later = await client.diagnose()
    assert.strictEqual(later.token?.fetchedFor, "forced")
    assert.include(later.cache, { isAsking: false, lastAnswer: "hit" })
    assert.isAbove(later.cache.coolDownMs, 14_000)
    assert.include(later.cache.failure, { step: "idToken", oauthCode: "invalid_client" })
    assert.isAbove(later.token?.remainingMs ?? 0, 3_590_000)
    assert.isBelow(later.token?.ageMs ?? Infinity, 10_000)
    assert.include(later.failures.idToken, { reason: "OAuth", httpStatus: 401, oauthCode: "invalid_client" })
    assert.match(later.failures.idToken?.logId ?? "", /^loopback-log-/)
    assert.include(later.failures.integrationCredential, { apiCode: 1001, httpStatus: 200 })
    const secrets = { secret: "facade-secret-one", token, lane: "lane-4c1d99", proxy: "proxy-4c1d99" }
    for (const diagnosis of [fresh, later]) assert.deepStrictEqual(SecretSweep.find(diagnosis, secrets), [])
  })

  it("disposes itself", async () => {
    await using client = new Client()
    assert.match(await client.getAccessToken(), /^access-token-/)
  })

  describe("with a signal", () => {
    it("rejects with its reason and closes the connection when nobody else waits", async () => {
      await script("idToken", Answer.hang)
      const controller = new AbortController()
      const waiting = rejection(new Client().getAccessToken({ signal: controller.signal }))
      await seenUntil((requests) => requests.length === 1)
      const reason = new Error("enough")
      controller.abort(reason)
      assert.strictEqual(await waiting, reason)
      await seenUntil(([request]) => request?.outcome === "closed")
    })

    it("leaves those who still wait with the token", async () => {
      await Effect.runPromise(platform.behave({ delay: "100 millis" }))
      const client = new Client()
      const controller = new AbortController()
      const leaving = rejection(client.getAccessToken({ signal: controller.signal }))
      const staying = client.getAccessToken()
      await seenUntil((requests) => requests.length === 1)
      controller.abort()
      assert.strictEqual(String(await leaving), "AbortError: This operation was aborted")
      assert.match(await staying, /^access-token-/)
      assert.lengthOf(await seen(), 2)
    })

    it("does not begin when the signal has fired", async () => {
      const error = await rejection(new Client().getAccessToken({ signal: AbortSignal.abort() }))
      assert.strictEqual(String(error), "AbortError: This operation was aborted")
      assert.lengthOf(await seen(), 0)
    })
  })

  describe("failing", () => {
    it("throws one ConfigurationError that lists every missing name, in order", () => {
      for (const name of required) vi.stubEnv(name, " ")
      try {
        new Client()
        assert.fail("should have thrown")
      } catch (error) {
        assert.instanceOf(error, ConfigurationError)
        assert.instanceOf(error, WorkloadIdentityError)
        assert.strictEqual(error.name, "ConfigurationError")
        assert.strictEqual(error.message, `Missing required environment variables: ${required.join(", ")}`)
        assert.deepStrictEqual(error.issues.map(({ name }) => name), required)
      }
    })

    for (const value of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31]) {
      it(`throws a ConfigurationError for a timeout of ${value}`, () => {
        try {
          new Client({ timeoutMs: value, connectTimeoutMs: value })
          assert.fail("should have thrown")
        } catch (error) {
          assert.instanceOf(error, ConfigurationError)
          assert.deepStrictEqual(error.issues.map(({ name }) => name), ["timeoutMs", "connectTimeoutMs"])
        }
      })
    }

    for (
      const [step, own, other] of [
        ["idToken", TokenRetrievalError, TokenExchangeError],
        ["accessToken", TokenExchangeError, TokenRetrievalError]
      ] as const
    ) {
      it(`rejects with a ${own.name} when ${step} is refused, without a secret in it`, async () => {
        await script(step, Answer.refusal("invalid_client", { status: 401, description: "no facade-secret-one" }))
        const error = await rejection(new Client().getAccessToken())
        assert.isTrue(error instanceof own)
        assert.isFalse(error instanceof other)
        assert.instanceOf(error, WorkloadIdentityError)
        assert.strictEqual(error.name, own.name)
        assert.strictEqual(error.step, step)
        assert.strictEqual(error.reason, "OAuth")
        assert.strictEqual(error.oauthCode, "invalid_client")
        assert.strictEqual(error.httpStatus, 401)
        assert.isFalse(error.retryable)
        assert.deepStrictEqual(
          SecretSweep.find(error, { secret: step === "idToken" ? "facade-secret-one" : "id-token-" }),
          []
        )
      })
    }

    it("leads to who asked, for a token and for a client", async () => {
      await script("idToken", Answer.refusal("invalid_client", { status: 401 }))
      const whoAsks = async () => {
        await new Client().getAccessToken()
      }
      const noToken = await rejection(whoAsks())
      assert.instanceOf(noToken, TokenRetrievalError)
      assert.match(noToken.stack ?? "", /^TokenRetrievalError: Token request failed[\s\S]*at (?:async )?whoAsks/)
      vi.stubEnv(envKeys.COZE_WORKLOAD_IDENTITY_CLIENT_ID, undefined)
      const whoMakes = () => new Client()
      const noClient = await rejection((async () => whoMakes())())
      assert.instanceOf(noClient, ConfigurationError)
      assert.match(noClient.stack ?? "", /^ConfigurationError: Missing[\s\S]*at whoMakes/)
    })

    it("gives up on a step after timeoutMs", async () => {
      await Effect.runPromise(platform.behave({ delay: "1 minute" }))
      const error = await rejection(new Client({ timeoutMs: 100 }).getAccessToken())
      assert.instanceOf(error, TokenRetrievalError)
      assert.strictEqual(error.reason, "Timeout")
      assert.strictEqual(error.detail, "headers")
      assert.isTrue(error.retryable)
      await seenUntil(([request]) => request?.outcome === "closed")
    })

    it("recognises errors by class, not by looks", () => {
      const lookalike = Object.assign(new Error("x"), { name: "TokenExchangeError", _tag: "TokenExchangeError" })
      assert.notInstanceOf(lookalike, TokenExchangeError)
      class Derived extends TokenExchangeError {}
      const details = { step: "accessToken", reason: "OAuth", retryable: false } as const
      assert.instanceOf(new Derived("x", details), Derived)
      assert.instanceOf(new Derived("x", details), TokenExchangeError)
      assert.notInstanceOf(new TokenExchangeError("x", details), Derived)
    })
  })
})
