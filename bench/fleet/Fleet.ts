/**
 * Many workloads, each a process with a cache of its own, that were started together and ask one issuer, on a clock that
 * runs as fast as it can. What is counted is what the issuer sees.
 */
import { AccessToken, OAuthError, TokenCache, TokenMetrics } from "@effect-identity/oauth"
import { Clock, Duration, Effect, Fiber, Metric, Random, Redacted, References } from "effect"
import { TestClock } from "effect/testing"

export interface Setting {
  readonly workloads: number
  readonly hours: number
  readonly lifetime: Duration.Input
  /** How often a workload needs its token, in seconds. Each has a moment of its own, so that reads come evenly. */
  readonly readEvery: number
  /** From when on, and for how long, the issuer answers 503. */
  readonly outage?: { readonly from: Duration.Input; readonly lasting: Duration.Input } | undefined
}

export interface Course {
  readonly setting: Setting
  /** Token requests that reached the issuer, by the second. In the first one everybody asks. */
  readonly requests: ReadonlyArray<number>
  /** How often a token was read, and how often there was one without waiting: always but for the first. */
  readonly reads: number
  readonly atOnce: number
}

/** Any issuer takes a while. */
const latency = Duration.millis(100)

const down = Effect.fail(
  new OAuthError.OAuthError({
    operation: "clientCredentials",
    reason: new OAuthError.Status({ status: 503 }),
    requestId: undefined
  })
)

/** An issuer that counts requests by the second. */
const issuerOf = ({ lifetime, outage }: Setting, requests: Array<number>) => {
  const from = Duration.toMillis(outage?.from ?? Duration.infinity)
  const until = from + Duration.toMillis(outage?.lasting ?? Duration.zero)
  return Effect.gen(function*() {
    const now = yield* Clock.currentTimeMillis
    const second = Math.floor(now / 1000)
    requests[second] = (requests[second] ?? 0) + 1
    const token = yield* AccessToken.make({ value: Redacted.make("fleet"), lifetime })
    yield* Effect.sleep(latency)
    return now >= from && now < until ? yield* down : token
  })
}

const answered = (reason: TokenCache.Reason): Effect.Effect<number> =>
  Effect.map(Metric.value(Metric.withAttributes(TokenMetrics.answers, { reason })), ({ count }) => count)

/** Runs a fleet for some hours of the test clock. The same `seed` gives the same course. */
export const run = (setting: Setting, seed = "fleet"): Effect.Effect<Course, OAuthError.OAuthError> =>
  Effect.gen(function*() {
    const { hours, readEvery, workloads } = setting
    const seconds = hours * 3600
    const requests = Array.from({ length: seconds }, () => 0)
    const issuer = issuerOf(setting, requests)
    const tokens = yield* Effect.forEach(
      Array.from({ length: workloads }),
      () => Effect.map(TokenCache.make(), (cache) => cache.get("workload", issuer))
    )
    const starting = yield* Effect.forEach(tokens, (token) => Effect.forkChild(token, { startImmediately: true }))
    yield* TestClock.adjust("1 second")
    yield* Fiber.joinAll(starting)

    const groups = Array.from({ length: readEvery }, (_, group) => {
      const readers = tokens.filter((_, nth) => nth % readEvery === group)
      return Effect.forEach(readers, (token) => Effect.ignore(token), { discard: true })
    })
    let reads = workloads
    for (let second = 1; second < seconds; second++) {
      const group = second % readEvery
      const reading = yield* Effect.forkChild(groups[group] ?? Effect.void, { startImmediately: true })
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(reading)
      reads += Math.ceil((workloads - group) / readEvery)
    }
    const atOnce = (yield* answered("hit")) + (yield* answered("stale-hit"))
    return { setting, requests, reads, atOnce }
  }).pipe(
    Effect.scoped,
    Effect.provide(TestClock.layer()),
    Effect.provideService(Metric.MetricRegistry, new Map()),
    // One line for every attempt of everyone says no more than the counts do.
    Effect.provideService(References.MinimumLogLevel, "None"),
    Random.withSeed(seed)
  )

/** The second after the start in which most workloads asked, and their share of the fleet. */
export const busiest = ({ requests, setting }: Course) => {
  const count = requests.slice(1).reduce((most, each) => Math.max(most, each), 0)
  return { second: requests.indexOf(count, 1), count, share: count / setting.workloads }
}

/** Reads that had to wait, or were told a failure, besides the first of each workload. */
export const troubled = ({ atOnce, reads, setting }: Course): number => reads - setting.workloads - atOnce

/** Token requests per workload and hour, the first one included. */
export const rate = ({ requests, setting: { hours, workloads } }: Course): number =>
  requests.reduce((sum, each) => sum + each, 0) / workloads / hours
