import { SecretSweep } from "@effect-identity/testing"
import { Config, EnvKeys, Lane, WorkloadIdentityError } from "@effect-identity/workload-identity"
import { assert, describe, it } from "@effect/vitest"
import { Cause, ConfigProvider, Duration, Effect, Redacted } from "effect"

const good = {
  COZE_WORKLOAD_IDENTITY_CLIENT_ID: "app",
  COZE_WORKLOAD_IDENTITY_CLIENT_SECRET: "client-secret-5d1f",
  COZE_WORKLOAD_IDENTITY_TOKEN_ENDPOINT: "https://issuer.example/id",
  COZE_WORKLOAD_ACCESS_TOKEN_ENDPOINT: "https://issuer.example/access"
}

const read = (env: Readonly<Record<string, string | undefined>>, options?: Config.Options) =>
  Config.make(options).pipe(
    Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnvRecord(env))
  )

const required = Object.keys(good)

describe("Config", () => {
  it.effect("reads the environment", () =>
    Effect.gen(function*() {
      const config = yield* read({ ...good, COZE_SERVER_ENV: "boe_x" })
      assert.strictEqual(config.clientId, "app")
      assert.strictEqual(Redacted.value(yield* config.clientSecret.read), "client-secret-5d1f")
      assert.strictEqual(config.idTokenEndpoint.href, "https://issuer.example/id")
      assert.strictEqual(config.accessTokenEndpoint.href, "https://issuer.example/access")
      assert.strictEqual(config.lane, "boe_x")
      assert.strictEqual(Duration.toMillis(config.timeout), 30_000)
      assert.strictEqual(Duration.toMillis(config.connectTimeout), 5000)
    }))

  for (
    const [what, value] of [["absent", undefined], ["empty", ""], ["blank", " \t"], ["a line break", "\n"]] as const
  ) {
    it.effect(`lists every required name in the order of the documentation when they are ${what}`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(read(Object.fromEntries(required.map((name) => [name, value]))))
        assert.strictEqual(error.message, `Missing required environment variables: ${required.join(", ")}`)
        assert.deepStrictEqual(error.issues.map(({ name }) => name), required)
        assert.isTrue(error instanceof WorkloadIdentityError.ConfigurationError)
      }))
  }

  it.effect("reports what is missing and what is wrong in one error", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(read({
        COZE_WORKLOAD_IDENTITY_CLIENT_ID: "app",
        COZE_WORKLOAD_IDENTITY_TOKEN_ENDPOINT: "http://issuer.example/id",
        COZE_WORKLOAD_ACCESS_TOKEN_ENDPOINT: "nonsense",
        COZE_SERVER_ENV: "ppe_\u00e4"
      }, { timeout: 0 }))
      assert.deepStrictEqual(error.issues, [
        { name: "COZE_WORKLOAD_IDENTITY_CLIENT_SECRET", rule: "is missing" },
        {
          name: "COZE_WORKLOAD_IDENTITY_TOKEN_ENDPOINT",
          rule: "must be an https URL (http is accepted for loopback only)"
        },
        { name: "COZE_WORKLOAD_ACCESS_TOKEN_ENDPOINT", rule: "must be an absolute URL" },
        { name: "COZE_SERVER_ENV", rule: "must be at most 256 printable ASCII characters" },
        { name: "timeout", rule: "must be from 1 to 2147483647 milliseconds" }
      ])
      assert.match(
        error.message,
        /^Missing required environment variables: COZE_WORKLOAD_IDENTITY_CLIENT_SECRET\. Invalid configuration: COZE_/
      )
    }))

  const url = EnvKeys.COZE_WORKLOAD_IDENTITY_TOKEN_ENDPOINT
  const lane = EnvKeys.COZE_SERVER_ENV
  for (
    const [name, value] of [
      [url, "not-a-url-3f1c9a77"],
      [url, "ftp://host-3f1c9a77.example"],
      [url, "https://user-3f1c9a77:password-8812@issuer.example"],
      [url, "https://issuer-3f1c9a77.example/#fragment"],
      [url, "http://issuer-3f1c9a77.example/"],
      [url, "http://192.168.0.1/3f1c9a77"],
      [url, "https://issuer-3f1c9a77.example/a\nb"],
      [EnvKeys.COZE_WORKLOAD_IDENTITY_CLIENT_ID, " leading-3f1c9a77"],
      [EnvKeys.COZE_WORKLOAD_IDENTITY_CLIENT_SECRET, "trailing-3f1c9a77 "],
      [EnvKeys.COZE_WORKLOAD_IDENTITY_CLIENT_SECRET, "two-3f1c9a77\nlines"],
      [EnvKeys.COZE_WORKLOAD_IDENTITY_CLIENT_SECRET, "nul-3f1c9a77\0"],
      [lane, "ppe_3f1c9a77\nx"],
      [lane, "ppe_3f1c9a77\r\nx-evil: 1"],
      [lane, "ppe_3f1c9a77\n"],
      [lane, "ppe_3f1c9a77\0"],
      [lane, "泳道-3f1c9a77"],
      [lane, " ppe_3f1c9a77"],
      [lane, `ppe_${"3f1c9a77".repeat(100)}`]
    ] as const
  ) {
    it.effect(`names ${name} and shows nothing of ${JSON.stringify(value.slice(0, 40))}`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(read({ ...good, [name]: value }))
        assert.deepStrictEqual(error.issues.map((issue) => issue.name), [name])
        assert.deepStrictEqual(SecretSweep.find(error, { value: "3f1c9a77", password: "password-8812" }), [])
        assert.deepStrictEqual(SecretSweep.find(Cause.pretty(Cause.fail(error)), { value: "3f1c9a77" }), [])
      }))
  }

  it.effect("drops one line break at the end of a mounted secret", () =>
    Effect.gen(function*() {
      const config = yield* read({ ...good, COZE_WORKLOAD_IDENTITY_CLIENT_SECRET: "client-secret\r\n" })
      assert.strictEqual(Redacted.value(yield* config.clientSecret.read), "client-secret")
    }))

  it.effect("takes http for this machine", () =>
    Effect.gen(function*() {
      const config = yield* read({ ...good, COZE_WORKLOAD_IDENTITY_TOKEN_ENDPOINT: "http://127.0.0.1:9/id" })
      assert.strictEqual(config.idTokenEndpoint.href, "http://127.0.0.1:9/id")
    }))

  for (const timeout of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31]) {
    it.effect(`refuses a timeout of ${timeout}`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(read(good, { timeout, connectTimeout: timeout }))
        assert.deepStrictEqual(error.issues.map(({ name }) => name), ["timeout", "connectTimeout"])
      }))
  }

  it.effect("says which variable a broken source could not give", () =>
    Effect.gen(function*() {
      const provider = ConfigProvider.make(() =>
        Effect.fail(new ConfigProvider.SourceError({ message: "vault said 3f1c9a77", cause: undefined }))
      )
      const error = yield* Effect.flip(
        Effect.provideService(Config.make(), ConfigProvider.ConfigProvider, provider)
      )
      assert.deepStrictEqual(error.issues, [{ name: "COZE_WORKLOAD_IDENTITY_CLIENT_ID", rule: "could not be read" }])
    }))
})

describe("Lane", () => {
  for (
    const [value, headers] of [
      [undefined, {}],
      ["", {}],
      [" ", {}],
      ["NONE", {}],
      ["none", { "x-tt-env": "none" }],
      ["boe_x", { "x-tt-env": "boe_x" }],
      ["ppe_x", { "x-tt-env": "ppe_x", "x-use-ppe": "1" }],
      ["ppe_", { "x-tt-env": "ppe_", "x-use-ppe": "1" }],
      ["ppe", { "x-tt-env": "ppe" }],
      ["PPE_x", { "x-tt-env": "PPE_x" }],
      ["custom lane", { "x-tt-env": "custom lane" }]
    ] as const
  ) {
    it.effect(`of ${JSON.stringify(value)} is ${JSON.stringify(headers)}`, () =>
      Effect.gen(function*() {
        const config = yield* read({ ...good, COZE_SERVER_ENV: value })
        assert.deepStrictEqual(Lane.make(config.lane).headers, headers)
      }))
  }
})

describe("EnvKeys", () => {
  it("spells every name as its value, but for the default lane", () => {
    const { DEFAULT_COZE_SERVER_ENV, ...names } = EnvKeys
    assert.strictEqual(DEFAULT_COZE_SERVER_ENV, "NONE")
    for (const [name, value] of Object.entries(names)) assert.strictEqual(value, name)
  })
})
