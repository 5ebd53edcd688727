import { Retry } from "@effect-identity/oauth"
import { Answer, Platform, SecretSweep } from "@effect-identity/testing"
import {
  Config,
  ProjectEnvVars,
  TokenCache,
  WorkloadIdentity,
  WorkloadIdentityError
} from "@effect-identity/workload-identity"
import { NodeWorkloadIdentity } from "@effect-identity/workload-identity/node"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Fiber, Layer, Redacted, Schema } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"

const credential = JSON.stringify({ user: "mail", password: "pass-77d1-of-the-box" })
const variables = [
  { key: "REGION", value: "cn-beijing" },
  { key: "API_KEY", value: "variable-value-19c2" },
  { key: "REGION", value: "second" },
  { key: "__proto__", value: "polluted" },
  { key: "", value: "line\nbreak\0" }
]

const layer = Platform.layer({ credentials: { mail: credential }, variables })

const identityOf = (env: Readonly<Record<string, string>>) =>
  Layer.build(
    NodeWorkloadIdentity.layerNodeHttp.pipe(
      Layer.provide(TokenCache.layerLocal()),
      Layer.provide(Config.layer()),
      Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnvRecord(env)))
    )
  ).pipe(Effect.flatMap((context) => Effect.provide(WorkloadIdentity.WorkloadIdentity, Layer.succeedContext(context))))

const make = Effect.gen(function*() {
  const platform = yield* Platform.Platform
  return { platform, identity: yield* identityOf(platform.env) }
})

const steps = Effect.map(
  Platform.Platform.use((platform) => platform.requests),
  (requests) => requests.map(({ step }) => step)
)

type Identity = WorkloadIdentity.WorkloadIdentity["Service"]

const calls = [
  ["integrationCredential", (identity: Identity) => Effect.asVoid(identity.integrationCredential("mail"))],
  ["projectEnvVars", (identity: Identity) => Effect.asVoid(identity.projectEnvVars)]
] as const

describe("OutboundAuth", () => {
  it.effect("gives a credential, redacted", () =>
    Effect.gen(function*() {
      const { identity } = yield* make
      const found = yield* identity.integrationCredential("mail")
      assert.strictEqual(Redacted.value(found), credential)
      assert.deepStrictEqual(SecretSweep.find(found, { credential }), [])
    }).pipe(Effect.provide(layer)))

  it.effect("gives a credential as JSON of a schema, or says that it is none without showing it", () =>
    Effect.gen(function*() {
      const { identity } = yield* make
      const Mail = Schema.Struct({ user: Schema.String, password: Schema.String })
      const mail = yield* identity.integrationCredentialJson("mail", Mail)
      assert.deepStrictEqual(mail, { user: "mail", password: "pass-77d1-of-the-box" })
      const error = yield* Effect.flip(identity.integrationCredentialJson("mail", Schema.Struct({ port: Schema.Int })))
      assert.instanceOf(error, WorkloadIdentityError.OutboundAuthError)
      assert.strictEqual(error.detail, "credentialJson")
      assert.deepStrictEqual(SecretSweep.find(error, { credential }), [])
    }).pipe(Effect.provide(layer)))

  it.effect("gives the variables of the project exactly as they are kept", () =>
    Effect.gen(function*() {
      const { identity } = yield* make
      const found = yield* identity.projectEnvVars
      assert.deepStrictEqual(Array.from(found.map(Redacted.value)), variables)
      assert.strictEqual(found.size, 5)
      assert.strictEqual(found.map(Redacted.value).get("REGION"), "cn-beijing")
      const secrets = { value: "variable-value-19c2" }
      assert.deepStrictEqual(SecretSweep.find(found, secrets), [])
      assert.deepStrictEqual(SecretSweep.find([...found], secrets), [])
    }).pipe(Effect.provide(layer)))

  it.effect("takes 10,000 variables", () =>
    Effect.gen(function*() {
      const { identity, platform } = yield* make
      yield* platform.behave({
        variables: Array.from({ length: 10_000 }, (_, index) => ({ key: `KEY_${index}`, value: "x".repeat(50) }))
      })
      assert.strictEqual((yield* identity.projectEnvVars).size, 10_000)
    }).pipe(Effect.provide(layer)))

  for (const slashes of ["", "/", "//"]) {
    it.effect(`puts exactly one slash between an endpoint that ends in ${JSON.stringify(slashes)} and the path`, () =>
      Effect.gen(function*() {
        const platform = yield* Platform.Platform
        const identity = yield* identityOf({
          ...platform.env,
          COZE_OUTBOUND_AUTH_ENDPOINT: `${platform.outboundEndpoint}${slashes}`
        })
        yield* identity.projectEnvVars
        assert.strictEqual((yield* platform.requests)[2]?.path, "/api/v1/secret/env")
      }).pipe(Effect.provide(layer)))
  }

  it.effect("sends any integration name as it is", () =>
    Effect.gen(function*() {
      const { identity, platform } = yield* make
      const names = ["\"quoted\"", "line\nbreak", "邮箱", "__proto__", "a/../b"]
      for (const name of names) {
        assert.strictEqual((yield* Effect.flip(identity.integrationCredential(name))).apiCode, 1001)
      }
      const sent = (yield* platform.requests).slice(2).map(({ body }) => JSON.parse(body).integration_name)
      assert.deepStrictEqual(sent, names)
    }).pipe(Effect.provide(layer)))

  for (const name of ["", "x".repeat(1025)]) {
    it.effect(`refuses an integration name of ${name.length} characters before anything is sent`, () =>
      Effect.gen(function*() {
        const { identity, platform } = yield* make
        const error = yield* Effect.flip(identity.integrationCredential(name))
        assert.instanceOf(error, WorkloadIdentityError.ConfigurationError)
        assert.lengthOf(yield* platform.requests, 0)
      }).pipe(Effect.provide(layer)))
  }

  for (const [step, call] of calls) {
    it.effect(`says for ${step} that there is nowhere to ask, before anything is sent`, () =>
      Effect.gen(function*() {
        const platform = yield* Platform.Platform
        const identity = yield* identityOf({ ...platform.env, COZE_OUTBOUND_AUTH_ENDPOINT: " " })
        const error = yield* Effect.flip(call(identity))
        assert.instanceOf(error, WorkloadIdentityError.ConfigurationError)
        assert.include(error.message, "COZE_OUTBOUND_AUTH_ENDPOINT")
        assert.lengthOf(yield* platform.requests, 0)
      }).pipe(Effect.provide(layer)))

    it.effect(`replaces a token that ${step} refuses, once, and repeats the call`, () =>
      Effect.gen(function*() {
        const { identity, platform } = yield* make
        yield* identity.accessToken
        yield* platform.revokeTokens
        yield* call(identity)
        assert.deepStrictEqual(yield* steps, ["idToken", "accessToken", step, "idToken", "accessToken", step])
      }).pipe(Effect.provide(layer)))

    it.effect(`gives up when ${step} refuses the new token as well`, () =>
      Effect.gen(function*() {
        const { identity, platform } = yield* make
        const refusal = Answer.json({ code: 4100, msg: "no" }, { status: 401 })
        yield* platform.script(step, refusal, refusal)
        const error = yield* Effect.flip(call(identity))
        assert.instanceOf(error, WorkloadIdentityError.OutboundAuthError)
        assert.deepStrictEqual([error.reason, error.httpStatus, error.apiCode], ["Status", 401, 4100])
        assert.lengthOf(yield* platform.requests, 6)
      }).pipe(Effect.provide(layer)))
  }

  it.effect("costs one new token when 100 callers hold the same dead one", () =>
    Effect.gen(function*() {
      const { identity, platform } = yield* make
      yield* identity.accessToken
      yield* platform.revokeTokens
      yield* Effect.all(Array.from({ length: 100 }, () => identity.projectEnvVars), { concurrency: "unbounded" })
      const seen = yield* steps
      assert.strictEqual(seen.filter((step) => step === "accessToken").length, 2)
    }).pipe(Effect.provide(layer)))

  it.effect("flies at most twice for 50 refusals in a row", () =>
    Effect.gen(function*() {
      const { identity, platform } = yield* make
      const refusal = Answer.json({ code: 4100, msg: "no" }, { status: 401 })
      yield* platform.script("projectEnvVars", ...Array.from({ length: 51 }, () => refusal))
      for (let call = 0; call < 50; call++) yield* Effect.flip(identity.projectEnvVars)
      const seen = yield* steps
      assert.strictEqual(seen.filter((step) => step === "idToken").length, 2)
    }).pipe(Effect.provide(layer)))

  it.effect("does not replace a token for any other status", () =>
    Effect.gen(function*() {
      const { identity, platform } = yield* make
      yield* platform.script("projectEnvVars", Answer.json({ code: 4101, msg: "no permission" }, { status: 403 }))
      const error = yield* Effect.flip(identity.projectEnvVars)
      assert.strictEqual(
        error.message,
        "Client error (403): Project environment variables request failed with status 403: no permission"
      )
      assert.lengthOf(yield* platform.requests, 3)
    }).pipe(Effect.provide(layer)))

  describe("answers", () => {
    const good = { code: 0, msg: "success" }
    const secret = "never-to-be-quoted-4b1d"
    for (
      const [step, what, answer, message, fields] of [
        [
          "integrationCredential",
          "a business code",
          Answer.json({ code: 1001, msg: "integration not found" }),
          "Integration credential API error: code=1001, msg=integration not found",
          { detail: "code", apiCode: 1001 }
        ],
        [
          "integrationCredential",
          "a code without a word",
          Answer.json({ code: 7 }),
          "Integration credential API error: code=7, msg=Unknown error",
          { apiCode: 7 }
        ],
        [
          "integrationCredential",
          "no code",
          Answer.json({ data: { credential: secret } }),
          "Integration credential API error: code=undefined, msg=Unknown error",
          { detail: "code" }
        ],
        [
          "integrationCredential",
          "code \"0\"",
          Answer.json({ code: "0", data: { credential: secret } }),
          "Integration credential API error: code=0, msg=Unknown error",
          { apiCode: "0" }
        ],
        [
          "integrationCredential",
          "HTML",
          Answer.body(`<p>${secret}`, { contentType: "text/html" }),
          "Invalid response format: expected JSON object",
          { detail: "json" }
        ],
        ["integrationCredential", "a list", Answer.json([secret]), "Invalid response format: expected JSON object", {
          detail: "shape"
        }],
        [
          "integrationCredential",
          "no data",
          Answer.json(good),
          "Invalid response format: missing or invalid 'data' field",
          { detail: "data" }
        ],
        [
          "integrationCredential",
          "data null",
          Answer.json({ ...good, data: null }),
          "Invalid response format: missing or invalid 'data' field",
          { detail: "data" }
        ],
        [
          "integrationCredential",
          "no credential",
          Answer.json({ ...good, data: {} }),
          "Invalid response format: missing 'credential' field in data",
          { detail: "credential" }
        ],
        [
          "integrationCredential",
          "a credential that is an object",
          Answer.json({ ...good, data: { credential: { secret } } }),
          "Invalid response format: credential must be a string",
          { detail: "credential" }
        ],
        [
          "integrationCredential",
          "an empty credential",
          Answer.json({ ...good, data: { credential: "" } }),
          "Invalid response format: credential must not be empty",
          { detail: "credential" }
        ],
        [
          "integrationCredential",
          "503",
          Answer.body("", { status: 503 }),
          "Server error (503): Integration credential request failed with status 503",
          { reason: "Status", httpStatus: 503, retryable: true }
        ],
        [
          "integrationCredential",
          "201",
          Answer.json({ ...good, data: { credential: secret } }, { status: 201 }),
          "Server error (201): Integration credential request failed with status 201: success",
          { reason: "Status", httpStatus: 201 }
        ],
        [
          "integrationCredential",
          "a redirect",
          Answer.redirect("/elsewhere"),
          "Server error (307): Integration credential request failed with status 307",
          { reason: "Status", httpStatus: 307 }
        ],
        [
          "projectEnvVars",
          "another spelling of a refusal",
          Answer.json({ error_code: "no_project", message: "project not found" }, { status: 400 }),
          "Client error (400): Project environment variables request failed with status 400: project not found",
          { apiCode: "no_project" }
        ],
        [
          "projectEnvVars",
          "no list",
          Answer.json({ ...good, data: { secrets: { secret } } }),
          "Invalid response format: missing or invalid 'secrets' field in data",
          { detail: "secrets" }
        ],
        [
          "projectEnvVars",
          "an entry that is text",
          Answer.json({ ...good, data: { secrets: [secret] } }),
          "Invalid response format: secrets[0] must be an object",
          { detail: "secrets" }
        ],
        [
          "projectEnvVars",
          "an entry without a value",
          Answer.json({ ...good, data: { secrets: [{ key: "A", value: secret }, { key: secret }] } }),
          "Invalid response format: secrets[1] must contain 'key' and 'value' keys",
          { detail: "secrets" }
        ],
        [
          "projectEnvVars",
          "an entry with a number",
          Answer.json({ ...good, data: { secrets: [{ key: secret, value: 1 }] } }),
          "Invalid response format: secrets[0] key and value must be strings",
          { detail: "secrets" }
        ],
        [
          "projectEnvVars",
          "5 MB",
          Answer.flood(5e6),
          "Failed to retrieve project environment variables: invalid answer: body or token is too large (HTTP 200)",
          { detail: "tooLarge" }
        ]
      ] as const
    ) {
      it.effect(`${step} refuses ${what}`, () =>
        Effect.gen(function*() {
          const { identity, platform } = yield* make
          yield* platform.script(step, answer)
          const call = calls.find(([name]) => name === step)?.[1] ?? (() => Effect.die("no such call"))
          const error = yield* Effect.flip(Retry.once(call(identity)))
          assert.instanceOf(error, WorkloadIdentityError.OutboundAuthError)
          assert.strictEqual(error.message, message)
          assert.strictEqual(error.step, step)
          assert.strictEqual(error.logId, "loopback-log-2")
          assert.include(JSON.parse(JSON.stringify(error)), fields)
          const token = Redacted.value((yield* identity.accessToken).value)
          assert.deepStrictEqual(SecretSweep.find(error, { secret, token }), [])
        }).pipe(Effect.provide(layer)))
    }

    it.effect("keeps the token to itself when the platform repeats it", () =>
      Effect.gen(function*() {
        const { identity, platform } = yield* make
        const token = Redacted.value((yield* identity.accessToken).value)
        yield* platform.script("projectEnvVars", Answer.json({ code: 1, msg: `bad token ${token}` }))
        const error = yield* Effect.flip(identity.projectEnvVars)
        assert.deepStrictEqual(SecretSweep.find(error, { token }), [])
      }).pipe(Effect.provide(layer)))
  })

  describe("remembered variables", () => {
    it.effect("are asked for once for all who wait, and again after their lifetime", () =>
      Effect.gen(function*() {
        const { identity } = yield* make
        const read = identity.rememberedProjectEnvVars
        yield* Effect.all(Array.from({ length: 100 }, () => read), { concurrency: "unbounded" })
        yield* TestClock.adjust("59 seconds")
        yield* read
        assert.lengthOf(yield* steps, 3)
        yield* TestClock.adjust("1 second")
        yield* read
        assert.lengthOf(yield* steps, 4)
      }).pipe(Effect.provide(layer)))

    it.effect("are not remembered when they could not be had", () =>
      Effect.gen(function*() {
        const { identity, platform } = yield* make
        yield* platform.script("projectEnvVars", Answer.body("", { status: 503 }))
        yield* Effect.flip(Retry.once(identity.rememberedProjectEnvVars))
        assert.strictEqual((yield* identity.rememberedProjectEnvVars).size, 5)
      }).pipe(Effect.provide(layer)))
  })

  it.effect("gets a token anew when it is told to", () =>
    Effect.gen(function*() {
      const { identity, platform } = yield* make
      const first = yield* identity.accessToken
      yield* platform.behave({ delay: "1 second" })
      const forced = yield* Effect.forkChild(identity.refreshedAccessToken, { startImmediately: true })
      assert.strictEqual(yield* identity.accessToken, first)
      yield* platform.requestsUntil((requests) => requests.length === 3)
      yield* TestClock.adjust("1 second")
      yield* platform.requestsUntil((requests) => requests.length === 4)
      yield* TestClock.adjust("1 second")
      const second = yield* Fiber.join(forced)
      assert.isAbove(second.generation, first.generation)
      assert.strictEqual(yield* identity.accessToken, second)
    }).pipe(Effect.provide(layer)))
})

describe("ProjectEnvVars", () => {
  it("are loaded into an environment, where what is there already stays unless overridden", () => {
    const vars = new ProjectEnvVars.ProjectEnvVars([
      ...variables,
      { key: "SET", value: "new" },
      { key: "A=B", value: "x" }
    ])
    const env: Record<string, string | undefined> = { SET: "old", REGION: undefined }
    assert.deepStrictEqual(ProjectEnvVars.loadInto(env, vars), {
      loaded: ["REGION", "API_KEY", "__proto__"],
      kept: ["SET"],
      skipped: ["", "A=B"]
    })
    assert.strictEqual(env["SET"], "old")
    assert.strictEqual(env["REGION"], "cn-beijing")
    assert.strictEqual(Object.getPrototypeOf(env), Object.prototype)
    assert.include(ProjectEnvVars.loadInto(env, vars, { override: true }).loaded, "SET")
    assert.strictEqual(env["SET"], "new")
  })

  const entries = fc.array(
    fc.record({ key: fc.oneof(fc.string(), fc.constantFrom("__proto__", "constructor", "")), value: fc.string() })
  )

  it("finds the first of equal keys, whatever the keys are", () =>
    fc.assert(fc.property(entries, fc.string(), (list, other) => {
      const vars = new ProjectEnvVars.ProjectEnvVars(list)
      assert.deepStrictEqual([...vars], list)
      assert.strictEqual(vars.size, list.length)
      for (const { key } of list) {
        const first = list.find((entry) => entry.key === key)?.value
        assert.strictEqual(vars.get(key), first)
        assert.strictEqual(vars.getOrThrow(key), first)
        assert.isTrue(vars.has(key))
        assert.strictEqual(Object.getOwnPropertyDescriptor(vars.toRecord(), key)?.value, first)
      }
      if (list.every(({ key }) => key !== other)) {
        assert.isFalse(vars.has(other))
        assert.isUndefined(vars.get(other))
        assert.strictEqual(vars.get(other, "default"), "default")
        assert.throws(() => vars.getOrThrow(other), RangeError)
      }
    })))
})
