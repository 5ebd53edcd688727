import { Answer, Platform, SecretSweep } from "@effect-identity/testing"
import {
  type AccessToken,
  ClientSecret,
  Config,
  TokenCache,
  WorkloadIdentity,
  WorkloadIdentityError
} from "@effect-identity/workload-identity"
import { ClientSecretFile, NodeWorkloadIdentity } from "@effect-identity/workload-identity/node"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Fiber, Layer, Redacted, Ref } from "effect"
import { TestClock } from "effect/testing"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setImmediate } from "node:timers/promises"

const secrets = { old: "old-secret-5b1c-of-yesterday", next: "next-secret-77aa-of-today" }

const layer = Platform.layer({
  clients: [
    { clientId: "app", clientSecret: secrets.old },
    { clientId: "app", clientSecret: secrets.next }
  ]
})

const valueOf = (token: AccessToken.AccessToken) => Redacted.value(token.value)

const identityOf = (env: Readonly<Record<string, string>>, options: Config.Options) =>
  Layer.build(
    NodeWorkloadIdentity.layerNodeHttp.pipe(
      Layer.provide(TokenCache.layerLocal()),
      Layer.provide(Config.layer(options)),
      Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnvRecord(env)))
    )
  ).pipe(Effect.flatMap((context) => Effect.provide(WorkloadIdentity.WorkloadIdentity, Layer.succeedContext(context))))

/** An identity whose secret can be changed, and how often that was asked for. */
const make = Effect.fnUntraced(function*(options: Config.Options = {}) {
  const platform = yield* Platform.Platform
  const current = yield* Ref.make(secrets.old)
  const asked = yield* Ref.make(0)
  const clientSecret = ClientSecret.rotating(
    Effect.andThen(Ref.update(asked, (count) => count + 1), Effect.map(Ref.get(current), (text) => Redacted.make(text)))
  )
  const identity = yield* identityOf(platform.env, { ...options, clientSecret })
  return {
    platform,
    identity,
    rotate: Ref.set(current, secrets.next),
    asked: Ref.get(asked),
    used: Effect.map(
      platform.requests,
      (requests) => requests.filter(({ step }) => step === "idToken").map((request) => request.field("client_secret"))
    )
  }
})

/** Asks, as programs do, until something has happened; every answer is given at once. The sockets are real, the clock is not. */
const readUntil = Effect.fnUntraced(function*(
  identity: WorkloadIdentity.WorkloadIdentity["Service"],
  condition: (token: AccessToken.AccessToken) => Effect.Effect<boolean>
) {
  while (true) {
    const reader = yield* Effect.forkChild(identity.accessToken, { startImmediately: true })
    assert.isDefined(reader.pollUnsafe(), "someone had to wait")
    if (yield* condition(yield* Fiber.join(reader))) return
    yield* Effect.promise(() => setImmediate())
  }
})

describe("a secret that is rotated", () => {
  it.effect("is used from the next request for a token on, without a restart", () =>
    Effect.gen(function*() {
      const { identity, rotate, used } = yield* make()
      yield* identity.accessToken
      yield* rotate
      yield* TestClock.adjust("2 seconds")
      yield* identity.refreshedAccessToken
      assert.deepStrictEqual(yield* used, [secrets.old, secrets.next])
    }).pipe(Effect.provide(layer)))

  it.effect("is noticed while tokens are in use, and nobody waits while the token is replaced", () =>
    Effect.gen(function*() {
      const { identity, rotate, used } = yield* make()
      const before = yield* identity.accessToken
      yield* rotate
      yield* TestClock.adjust("10 seconds")
      yield* readUntil(identity, (token) => Effect.succeed(token !== before))
      assert.deepStrictEqual(yield* used, [secrets.old, secrets.next])
    }).pipe(Effect.provide(layer)))

  it.effect("is looked up before a token that is due is replaced", () =>
    Effect.gen(function*() {
      const { identity, rotate, used } = yield* make()
      const before = yield* identity.accessToken
      yield* rotate
      yield* TestClock.adjust("50 minutes")
      yield* readUntil(identity, (token) => Effect.succeed(token !== before))
      assert.deepStrictEqual(yield* used, [secrets.old, secrets.next])
    }).pipe(Effect.provide(layer)))

  it.effect("outdates the token of the one before after the grace, though it is not accepted", () =>
    Effect.gen(function*() {
      const { identity, platform, rotate, used } = yield* make({ secretGrace: "1 minute" })
      const before = yield* identity.accessToken
      yield* rotate
      const refusal = Answer.refusal("invalid_client", { status: 401 })
      yield* platform.script("idToken", refusal, refusal)
      yield* TestClock.adjust("10 seconds")
      yield* readUntil(identity, (token) => {
        assert.strictEqual(token, before)
        return Effect.map(used, ({ length }) => length === 2)
      })
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual(yield* identity.accessToken, before)
      yield* platform.requestsUntil((requests) => requests.length === 4)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Effect.flip(identity.accessToken)).oauthCode, "invalid_client")
      yield* TestClock.adjust("30 seconds")
      assert.notStrictEqual(valueOf(yield* identity.accessToken), valueOf(before))
    }).pipe(Effect.provide(layer)))

  it.effect("leaves nothing of the one before without a grace", () =>
    Effect.gen(function*() {
      const { asked, identity, rotate } = yield* make({ secretGrace: 0 })
      const before = yield* identity.accessToken
      yield* rotate
      yield* TestClock.adjust("10 seconds")
      while ((yield* asked) < 2) yield* identity.accessToken
      while ((yield* identity.diagnose).token !== undefined) yield* Effect.promise(() => setImmediate())
      assert.notStrictEqual(valueOf(yield* identity.accessToken), valueOf(before))
    }).pipe(Effect.provide(layer)))

  it.effect("is asked for once more when the issuer does not know the client by it", () =>
    Effect.gen(function*() {
      const { asked, identity, platform, rotate, used } = yield* make()
      yield* identity.accessToken
      yield* platform.script("idToken", Answer.refusal("invalid_client", { status: 401 }))
      yield* TestClock.adjust("500 millis")
      yield* rotate
      const before = yield* asked
      assert.match(valueOf(yield* identity.refreshedAccessToken), /^access-token-/)
      assert.strictEqual((yield* asked) - before, 1)
      assert.deepStrictEqual(yield* used, [secrets.old, secrets.old, secrets.next])
    }).pipe(Effect.provide(layer)))

  it.effect("is not asked for again and again while it is refused", () =>
    Effect.gen(function*() {
      const { asked, identity, platform, used } = yield* make()
      yield* platform.script("idToken", Answer.refusal("invalid_client", { status: 401 }))
      for (let call = 0; call < 100; call++) {
        const error = yield* Effect.flip(identity.accessToken)
        assert.strictEqual(error.oauthCode, "invalid_client")
        assert.deepStrictEqual(SecretSweep.find(error, secrets), [])
      }
      assert.lengthOf(yield* used, 1)
      assert.isAtMost(yield* asked, 2)
    }).pipe(Effect.provide(layer)))

  it.effect("comes from the file the environment names, and from nowhere else", () =>
    Effect.gen(function*() {
      const platform = yield* Platform.Platform
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "client-secret-"))),
        (path) => Effect.sync(() => rmSync(path, { recursive: true }))
      )
      const file = join(folder, "secret")
      writeFileSync(file, `${secrets.old}\n`)
      const identity = yield* identityOf({
        ...platform.env,
        COZE_WORKLOAD_IDENTITY_CLIENT_SECRET: "not this one",
        COZE_WORKLOAD_IDENTITY_CLIENT_SECRET_FILE: file
      }, { readSecretFile: ClientSecretFile.read })
      yield* identity.accessToken
      writeFileSync(file, secrets.next)
      yield* TestClock.adjust("1 second")
      yield* identity.refreshedAccessToken
      const used = (yield* platform.requests).map((request) => request.field("client_secret"))
      assert.deepStrictEqual(used, [secrets.old, undefined, secrets.next, undefined])

      rmSync(file)
      yield* TestClock.adjust("1 second")
      const error = yield* Effect.flip(identity.refreshedAccessToken)
      assert.instanceOf(error, WorkloadIdentityError.ConfigurationError)
      assert.deepStrictEqual(error.issues, [
        { name: "COZE_WORKLOAD_IDENTITY_CLIENT_SECRET_FILE", rule: "must be the path of a file that can be read" }
      ])
      assert.match(valueOf(yield* identity.accessToken), /^access-token-/, "a valid token was withheld")
    }).pipe(Effect.provide(layer)))

  it.effect("needs someone who can read files where the environment names one", () =>
    Effect.gen(function*() {
      const platform = yield* Platform.Platform
      const error = yield* Effect.flip(
        identityOf({ ...platform.env, COZE_WORKLOAD_IDENTITY_CLIENT_SECRET_FILE: "/run/secret" }, {})
      )
      assert.deepStrictEqual(error.issues.map(({ name }) => name), ["COZE_WORKLOAD_IDENTITY_CLIENT_SECRET_FILE"])
    }).pipe(Effect.provide(layer)))
})
