/**
 * K: many callers, some of whom leave.
 */
import { Client } from "@effect-identity/client"
import { OAuthError, TokenCache } from "@effect-identity/oauth"
import { Answer, Platform } from "@effect-identity/testing"
import { AccessToken, ProjectEnvVars, type WorkloadIdentityError } from "@effect-identity/workload-identity"
import { Deferred, type Duration, Effect, Exit, Fiber, Layer, Redacted, Scope } from "effect"
import * as assert from "node:assert/strict"
import { Worker } from "node:worker_threads"
import { notHere, row } from "./Row.ts"
import { describe, failure, type Identity, layersOf, onPlatform, steps, told, valueOf } from "./Workload.ts"

const callers = (count: number, identity: Identity) =>
  Effect.forEach(
    Array.from({ length: count }),
    () => Effect.forkChild(identity.accessToken, { startImmediately: true })
  )

type Callers = ReadonlyArray<Fiber.Fiber<AccessToken.AccessToken, WorkloadIdentityError.WorkloadIdentityError>>

const distinct = (tokens: ReadonlyArray<AccessToken.AccessToken>) => new Set(tokens.map(valueOf)).size

const leaving = (who: string, leaves: (index: number) => boolean) =>
  Effect.gen(function*() {
    const { identity, platform } = yield* onPlatform({ platform: { delay: "100 millis" } }, layersOf)
    const waiting: Callers = yield* callers(100, identity)
    yield* platform.requestsUntil((requests) => requests.length === 1)
    yield* Fiber.interruptAll(waiting.filter((_, index) => leaves(index)))
    const tokens = yield* Fiber.joinAll(waiting.filter((_, index) => !leaves(index)))
    assert.equal(distinct(tokens), 1)
    const seen = told(yield* steps(platform))
    assert.equal(seen, "1 + 1 requests")
    return { caller: `${tokens.length} equal tokens after ${who} left`, other: seen }
  })

/** The facade reads the environment of the process, so that rows with it take turns. */
const facade = Effect.fnUntraced(function*(env: Readonly<Record<string, string>>) {
  return yield* Effect.sync(() => {
    Object.assign(process.env, env)
    return new Client()
  })
})

const source = (value: string, lifetime: Duration.Input = "1 hour") =>
  AccessToken.make({ value: Redacted.make(value), lifetime })

const inWorker = (env: Readonly<Record<string, string>>) =>
  Effect.callback<string>((resume) => {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData: env })
    worker.once("message", (token) => resume(Effect.succeed(String(token))))
    worker.once("error", (error) => resume(Effect.die(error)))
    return Effect.promise(() => worker.terminate())
  })

export const rows = [
  row(
    "K1",
    "10,000 callers, nothing cached",
    Effect.gen(function*() {
      const { identity, platform } = yield* onPlatform({}, layersOf)
      const tokens = yield* Effect.all(Array.from({ length: 10_000 }, () => identity.accessToken), {
        concurrency: "unbounded"
      })
      assert.equal(distinct(tokens), 1)
      const seen = told(yield* steps(platform))
      assert.equal(seen, "1 + 1 requests")
      return { caller: "10,000 equal tokens", other: seen }
    })
  ),
  row("K2", "first caller interrupted", leaving("the first", (index) => index === 0)),
  row(
    "K3",
    "all interrupted",
    Effect.gen(function*() {
      const { identity, platform } = yield* onPlatform({}, layersOf)
      yield* platform.script("idToken", Answer.hang)
      const waiting: Callers = yield* callers(100, identity)
      yield* platform.requestsUntil((requests) => requests.length === 1)
      yield* Fiber.interruptAll(waiting)
      yield* platform.requestsUntil(([request]) => request?.outcome === "closed")
      yield* identity.accessToken
      return { caller: "the next one a token", other: "the request was aborted, then 1 + 1 requests" }
    })
  ),
  row(
    "K4",
    "each caller with a deadline of its own",
    Effect.gen(function*() {
      const { identity, platform } = yield* onPlatform({ platform: { delay: "200 millis" } }, layersOf)
      const hasty = yield* Effect.forkChild(Effect.exit(Effect.timeout(identity.accessToken, "50 millis")), {
        startImmediately: true
      })
      const patient = yield* Effect.forkChild(identity.accessToken, { startImmediately: true })
      assert.ok(Exit.isFailure(yield* Fiber.join(hasty)))
      yield* Fiber.join(patient)
      const seen = told(yield* steps(platform))
      assert.equal(seen, "1 + 1 requests")
      return { caller: "the hasty one nothing after 50 ms, the patient one a token", other: seen }
    })
  ),
  row(
    "K5",
    "request fails with 1,000 waiting",
    Effect.gen(function*() {
      const { identity, platform } = yield* onPlatform({}, layersOf)
      const down = Answer.body("", { status: 503 })
      yield* platform.script("idToken", down, down, down)
      const errors = yield* Effect.all(Array.from({ length: 1000 }, () => failure(identity.accessToken)), {
        concurrency: "unbounded"
      })
      const told = new Set(errors.map(describe))
      assert.deepEqual([...told], ["TokenRetrievalError Status(503)"])
      assert.equal((yield* platform.requests).length, 3)
      yield* Effect.sleep("2 seconds")
      yield* identity.accessToken
      return { caller: "1,000 x Status(503), a token 2 s later", other: "3 requests for all, then 1 + 1" }
    })
  ),
  row(
    "K6",
    "closed while a token is asked for",
    Effect.gen(function*() {
      const { platform } = yield* onPlatform({ platform: { delay: "1 hour" } }, layersOf)
      const scope = yield* Scope.make()
      const identity = yield* Scope.provide(layersOf(platform.env), scope)
      const waiting: Callers = yield* callers(10, identity)
      yield* platform.requestsUntil((requests) => requests.length === 1)
      const started = performance.now()
      yield* Scope.close(scope, Exit.void)
      const error = yield* failure(Fiber.joinAll(waiting))
      const millis = performance.now() - started
      assert.ok(millis < 100, `${millis} ms`)
      yield* platform.requestsUntil(([request]) => request?.outcome === "closed")
      assert.equal(describe(error), "TokenRetrievalError Closed")
      return { caller: `${describe(error)} after ${Math.ceil(millis)} ms`, other: "socket closed" }
    })
  ),
  row(
    "K7",
    "used after close, closed twice",
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const cache = yield* Scope.provide(TokenCache.make(), scope)
      yield* Scope.close(scope, Exit.void)
      yield* Scope.close(scope, Exit.void)
      const error = yield* failure(cache.get("app", source("late")))
      assert.equal(error.reason._tag, "Closed")
      const { platform } = yield* onPlatform({}, layersOf)
      const client = yield* facade(platform.env)
      yield* Effect.promise(async () => {
        await client.close()
        await client.close()
        await client.getAccessToken()
      })
      return { caller: "Closed; the facade's close is documented to do nothing", other: told(yield* steps(platform)) }
    })
  ),
  row(
    "K8",
    "background refresh lands after a forced one",
    Effect.gen(function*() {
      const cache = yield* TokenCache.make()
      const slow = yield* Deferred.make<void>()
      // Due at once: half of its life is over when it lands.
      const old = AccessToken.make({ value: Redacted.make("old"), lifetime: "1 second" })
      yield* cache.get("app", old)
      yield* Effect.sleep("700 millis")
      yield* cache.get("app", Effect.andThen(Deferred.await(slow), source("background")))
      yield* cache.refresh("app", source("forced"))
      yield* Deferred.succeed(slow, undefined)
      while ((yield* cache.peek("app")).isFlying) yield* Effect.yieldNow
      const token = yield* cache.get("app", source("another"))
      assert.equal(valueOf(token), "forced")
      return { caller: "the forced one, which began later", other: "3 flights" }
    })
  ),
  row(
    "K9",
    "two clients of one identity",
    Effect.gen(function*() {
      const { platform } = yield* onPlatform({}, layersOf)
      const [one, other] = [yield* facade(platform.env), yield* facade(platform.env)]
      const tokens = yield* Effect.promise(async () => {
        const first = await one.getAccessToken()
        await one.close()
        return [first, await other.getAccessToken()]
      })
      assert.equal(tokens[0], tokens[1])
      return { caller: "the same token, also after the first was closed", other: told(yield* steps(platform)) }
    })
  ),
  row(
    "K10",
    "two identities at one endpoint, interleaved",
    Effect.gen(function*() {
      const clients = [
        { clientId: "a", clientSecret: "secret-of-a" },
        { clientId: "b", clientSecret: "secret-of-b" }
      ] as const
      const context = yield* Layer.build(Platform.layer({ clients: [clients[0], clients[1]] }))
      const platform = yield* Effect.provide(Platform.Platform, Layer.succeedContext(context))
      const identities = yield* Effect.forEach(clients, ({ clientId, clientSecret }) =>
        layersOf({
          ...platform.env,
          COZE_WORKLOAD_IDENTITY_CLIENT_ID: clientId,
          COZE_WORKLOAD_IDENTITY_CLIENT_SECRET: clientSecret
        }))
      const tokens = yield* Effect.all(
        Array.from({ length: 100 }, () => Effect.all(identities.map((identity) => identity.accessToken))),
        { concurrency: "unbounded" }
      )
      const [ofA, ofB] = [tokens.map(([a]) => a && valueOf(a)), tokens.map(([, b]) => b && valueOf(b))]
      assert.equal(new Set(ofA).size, 1)
      assert.equal(new Set(ofB).size, 1)
      assert.notEqual(ofA[0], ofB[0])
      return { caller: "each its own token, 100 x", other: told(yield* steps(platform)) }
    })
  ),
  notHere(
    "K11",
    "100 processes start together",
    "one request per process; sharing across processes is the token server's"
  ),
  row(
    "K12",
    "cache full of requests in the air",
    Effect.gen(function*() {
      const cache = yield* TokenCache.make({ capacity: 2 })
      let asked = 0
      const slow = (key: string) =>
        Effect.suspend(() => {
          asked++
          return Effect.andThen(Effect.sleep("50 millis"), source(key))
        })
      const keys = Array.from({ length: 20 }, (_, index) => `key-${index}`)
      const tokens = yield* Effect.all(
        [...keys, ...keys].map((key) => cache.get(key, slow(key))),
        { concurrency: "unbounded" }
      )
      assert.deepEqual(tokens.map(valueOf), [...keys, ...keys])
      assert.equal(asked, 20)
      return { caller: "40 callers their own token", other: "20 flights for 20 keys" }
    })
  ),
  row(
    "K13",
    "caller changes what it was given",
    Effect.gen(function*() {
      const { identity, platform } = yield* onPlatform(
        { platform: { variables: [{ key: "A", value: "1" }] } },
        layersOf
      )
      const found = yield* identity.rememberedProjectEnvVars
      Object.assign(found.toRecord(), { A: "changed" })
      const again = (yield* identity.rememberedProjectEnvVars).get("A")
      assert.equal(again && Redacted.value(again), "1")
      assert.ok(found instanceof ProjectEnvVars.ProjectEnvVars)
      return { caller: "the others what was sent", other: told(yield* steps(platform)) }
    })
  ),
  row(
    "K14",
    "source dies of a bug",
    Effect.gen(function*() {
      const cache = yield* TokenCache.make({ coolDown: { minimum: 0, maximum: 0 } })
      const errors = yield* Effect.all(
        Array.from(
          { length: 100 },
          () =>
            failure(cache.get("app", Effect.andThen(Effect.sleep("10 millis"), Effect.die(new TypeError("s3cret")))))
        ),
        { concurrency: "unbounded" }
      )
      assert.ok(errors.every((error) => error instanceof OAuthError.OAuthError && error.reason._tag === "Unexpected"))
      yield* cache.get("app", source("next"))
      return { caller: "100 x Unexpected(TypeError), then a token", other: "2 flights" }
    })
  ),
  row(
    "K15",
    "worker threads",
    Effect.gen(function*() {
      const { platform } = yield* onPlatform({}, layersOf)
      const tokens = yield* Effect.all([inWorker(platform.env), inWorker(platform.env)], { concurrency: 2 })
      assert.equal(new Set(tokens).size, 2)
      const seen = told(yield* steps(platform))
      assert.equal(seen, "2 + 2 requests")
      return { caller: "each thread its own token", other: seen }
    })
  )
]
