/**
 * The main job, for real: a token for a workload, over HTTP, for a thousand callers at once, through both APIs.
 *
 * With the `COZE_*` variables set it asks the platform they name; without, it starts one on loopback.
 */
import { Client } from "@effect-identity/client"
import { Platform } from "@effect-identity/testing"
import {
  AccessToken,
  Config,
  EnvKeys,
  HttpClient,
  Lane,
  OutboundAuth,
  TokenCache,
  WorkloadIdentity
} from "@effect-identity/workload-identity"
import { NodeHttpClient } from "@effect-identity/workload-identity/node"
import { NodeRuntime } from "@effect/platform-node"
import { Clock, Console, Data, Duration, Effect, Layer, Redacted } from "effect"
import { createHash } from "node:crypto"
import * as Upstream from "./Upstream.ts"

const callers = 1000

class DemoFailed extends Data.TaggedError("DemoFailed")<{ readonly message: string }> {}

const fingerprint = (token: string): string => createHash("sha256").update(token).digest("hex").slice(0, 8)

const everyone = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.all(Array.from({ length: callers }, () => effect), { concurrency: "unbounded" })

const layerIdentity = WorkloadIdentity.layer.pipe(
  Layer.provide(OutboundAuth.layer),
  Layer.provide(Lane.layer),
  Layer.provide(TokenCache.layer),
  Layer.provide(Upstream.layerShowing),
  Layer.provide(HttpClient.layer),
  Layer.provide(NodeHttpClient.layer),
  Layer.provide(Config.layer())
)

/** The clock, set ahead: what is a minute away happens now. */
const later = (duration: Duration.Duration) =>
  Effect.map(Clock.Clock, (clock): Clock.Clock => {
    const millis = Duration.toMillis(duration)
    const nanos = BigInt(Math.round(millis * 1_000_000))
    return {
      currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() + millis,
      currentTimeMillis: Effect.map(clock.currentTimeMillis, (now) => now + millis),
      currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe() + nanos,
      currentTimeNanos: Effect.map(clock.currentTimeNanos, (now) => now + nanos),
      monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe() + nanos,
      monotonicTimeNanos: Effect.map(clock.monotonicTimeNanos, (now) => now + nanos),
      sleep: (duration) => clock.sleep(duration)
    }
  })

const describeToken = Effect.fnUntraced(function*(token: AccessToken.AccessToken) {
  const left = Math.round(Duration.toSeconds(yield* AccessToken.remaining(token)))
  return `fingerprint ${fingerprint(Redacted.value(token.value))}, ${left} s left`
})

/** Says what was counted, and does not let a wrong count pass for a demonstration. */
const report = Effect.fnUntraced(function*(what: string, requests: number) {
  yield* Console.log(`   ${what}\n   upstream requests: ${requests}\n`)
  if (requests !== 2) {
    return yield* new DemoFailed({ message: `expected 2 upstream requests, counted ${requests}` })
  }
})

const effectApi = Effect.gen(function*() {
  const identity = yield* WorkloadIdentity.WorkloadIdentity
  yield* Console.log(`1. Effect: ${callers} callers at once, nothing cached\n`)
  const first = yield* Upstream.counted(everyone(identity.accessToken))
  const tokens = new Set(first.result)
  const [token] = tokens
  if (token === undefined) return yield* Effect.die("no token")
  yield* report(`\n   ${callers} callers got ${tokens.size} token: ${yield* describeToken(token)}`, first.requests)
  return { identity, token }
})

const promiseApi = Effect.gen(function*() {
  yield* Console.log(`2. Promise facade: ${callers} callers at once, nothing cached\n`)
  const client = new Client()
  const { requests, result } = yield* Upstream.counted(
    everyone(Effect.tryPromise({
      try: () => client.getAccessToken(),
      catch: (error) => new DemoFailed({ message: String(error) })
    }))
  )
  const tokens = new Set(result)
  const shown = Array.from(tokens, fingerprint).join(", ")
  yield* report(`${callers} callers got ${tokens.size} token: fingerprint ${shown}`, requests)
})

const refresh = Effect.fnUntraced(function*(
  identity: WorkloadIdentity.WorkloadIdentity["Service"],
  token: AccessToken.AccessToken
) {
  yield* Console.log("3. Refresh: the clock is set to the end of the token, and it is asked for again\n")
  const clock = yield* later(token.lifetime)
  const { requests, result } = yield* Upstream.counted(identity.accessToken).pipe(
    Effect.provideService(Clock.Clock, clock)
  )
  const described = yield* Effect.provideService(describeToken(result), Clock.Clock, clock)
  yield* report(`\n   a new token: ${described}`, requests)
})

const demo = Effect.gen(function*() {
  const { identity, token } = yield* effectApi
  yield* promiseApi
  yield* refresh(identity, token)
}).pipe(Effect.provide(layerIdentity))

const required = [
  EnvKeys.COZE_WORKLOAD_IDENTITY_CLIENT_ID,
  EnvKeys.COZE_WORKLOAD_IDENTITY_CLIENT_SECRET,
  EnvKeys.COZE_WORKLOAD_IDENTITY_TOKEN_ENDPOINT,
  EnvKeys.COZE_WORKLOAD_ACCESS_TOKEN_ENDPOINT
]

const onLoopback = Effect.gen(function*() {
  const platform = yield* Platform.Platform
  Object.assign(process.env, platform.env)
  yield* Console.log(`No COZE_* variables: using a platform on loopback, ${platform.idTokenEndpoint}\n`)
  yield* demo
}).pipe(Effect.provide(Platform.layer()))

const onPlatform = Effect.andThen(Console.log("Using the platform that the COZE_* variables name\n"), demo)

const isConfigured = required.some((name) => process.env[name] !== undefined)

NodeRuntime.runMain(
  Effect.tapError(isConfigured ? onPlatform : onLoopback, (error) => Console.error(String(error))),
  { disableErrorReporting: true }
)
