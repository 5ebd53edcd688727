// @effect-diagnostics globalDate:off globalDateInEffect:off
/**
 * The token inside a fiber: what the layers give, a field that is looked at, Effect's own `Cache`, and a promise that is
 * waited for.
 */
import { WorkloadIdentity } from "@effect-identity/workload-identity"
import { NodeWorkloadIdentity } from "@effect-identity/workload-identity/node"
import { Cache, ConfigProvider, Effect, Layer, ManagedRuntime } from "effect"
import { subjectOf } from "../Peer.ts"
import { peer as byHand } from "../peers/ByHand.ts"
import type { Figure } from "../Row.ts"
import { median } from "../Statistics.ts"
import * as Turns from "../Turns.ts"

interface Settings {
  readonly issuer: string
  readonly samples: number
}

const environment = (issuer: string) =>
  ConfigProvider.fromUnknown({
    COZE_WORKLOAD_IDENTITY_CLIENT_ID: "app",
    COZE_WORKLOAD_IDENTITY_CLIENT_SECRET: "bench-secret-81f3-of-app",
    COZE_WORKLOAD_IDENTITY_TOKEN_ENDPOINT: `${issuer}/token`,
    COZE_WORKLOAD_ACCESS_TOKEN_ENDPOINT: `${issuer}/token`
  })

const perSample = 50_000

const promised = "Effect.tryPromise of a promise by hand"

const timed = <E>(token: Effect.Effect<unknown, E>): Effect.Effect<number, E> =>
  Effect.gen(function*() {
    const from = performance.now()
    for (let nth = 0; nth < perSample; nth++) yield* token
    return ((performance.now() - from) * 1e6) / perSample
  })

const fieldOf = (goodUntil: number) => {
  const held = { token: "token", goodUntil }
  return Effect.suspend(() => Date.now() < held.goodUntil ? Effect.succeed(held.token) : Effect.die("it has ended"))
}

const program = Effect.fnUntraced(function*({ issuer, samples }: Settings) {
  const identity = yield* WorkloadIdentity.WorkloadIdentity
  const subject = yield* Effect.promise(() => subjectOf(byHand, issuer))
  const cache = yield* Cache.make({ capacity: 10, lookup: (key: string) => Effect.succeed(key), timeToLive: "1 hour" })
  const subjects = {
    "by hand": timed(fieldOf(Date.now() + 3_600_000)),
    "this": timed(identity.accessToken),
    "Cache.get of Effect": timed(Cache.get(cache, "app")),
    [promised]: timed(Effect.tryPromise(() => subject.getToken()))
  }
  const taken: Record<string, Array<number>> = {}
  for (let sample = -2; sample < samples; sample++) {
    for (const [name, time] of Object.entries(subjects)) {
      const ns = yield* time
      if (sample >= 0) (taken[name] ??= []).push(ns)
    }
  }
  // Each beside the promise of the same turn.
  const ratios = Turns.mapped(
    taken,
    (values) => median(values.map((ns, nth) => ns / (taken[promised]?.[nth] ?? Number.NaN)))
  )
  return Object.fromEntries(
    Object.entries(taken).flatMap((
      [name, values]
    ) => [[name, median(values)], [`${name}/ratio`, ratios[name] ?? Number.NaN]])
  )
})

export const run = (_: unknown, settings: Settings): Promise<Figure> =>
  ManagedRuntime.make(
    Layer.provide(NodeWorkloadIdentity.layer, ConfigProvider.layer(environment(settings.issuer)))
  ).runPromise(program(settings))
