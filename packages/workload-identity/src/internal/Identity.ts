/**
 * Who asks for tokens: one workload with one secret. A secret that is rotated makes it another identity, with tokens of its
 * own.
 */
import * as Fingerprint from "@effect-identity/oauth/Fingerprint"
import * as Instant from "@effect-identity/oauth/Instant"
import * as Quiet from "@effect-identity/oauth/Quiet"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as Semaphore from "effect/Semaphore"
import type { WorkloadConfig } from "../Config.ts"
import type { ConfigurationError } from "../WorkloadIdentityError.ts"

export interface Identity {
  readonly secret: Redacted.Redacted
  /** All that makes two workloads different, in a form in which no two differ by a delimiter only. */
  readonly key: string
}

export interface Reading {
  readonly identity: Identity
  readonly at: Instant.Instant
  /** The one before, and when it was found to be outdated. */
  readonly previous: { readonly identity: Identity; readonly outdatedSince: Instant.Instant } | undefined
}

/** Tokens in use are looked after this often; whoever has to wait anyway asks again after a second. */
const patience = { inUse: 10_000, waiting: 1_000 }

export const make = (config: WorkloadConfig["Service"]) => {
  const { clientSecret, secretGrace } = config
  const reading = Semaphore.makeUnsafe(1)
  let last: Reading | undefined

  const read = Effect.gen(function*(): Effect.fn.Return<Reading, ConfigurationError> {
    const secret = yield* clientSecret.read
    const at = yield* Instant.now
    const key = JSON.stringify([
      config.idTokenEndpoint.href,
      config.accessTokenEndpoint.href,
      config.clientId,
      yield* Fingerprint.make(secret),
      config.lane ?? null
    ])
    if (last === undefined || last.identity.key === key) {
      last = { identity: { secret, key }, at, previous: last?.previous }
    } else {
      yield* Effect.logInfo("the client secret has changed")
      last = { identity: { secret, key }, at, previous: { identity: last.identity, outdatedSince: at } }
    }
    return last
  })

  const notOlderThan = (millis: number): Effect.Effect<Reading, ConfigurationError> =>
    Effect.flatMap(Instant.now, (now) => {
      const found = last
      if (found !== undefined && (clientSecret.isFixed || Instant.elapsed(found.at, now) < millis)) {
        return Effect.succeed(found)
      }
      // Whoever waited for someone else's reading does not read again.
      return reading.withPermit(
        Effect.suspend(() => last === undefined || last === found ? read : Effect.succeed(last))
      )
    })

  return {
    /** The one there is when it cannot become another. */
    get settled(): Identity | undefined {
      return clientSecret.isFixed ? last?.identity : undefined
    },
    /** For tokens in use. What is known is given out at once and read again behind the back of whoever asks. */
    current: Effect.flatMap(Instant.now, (now): Effect.Effect<Reading, ConfigurationError> => {
      if (last === undefined) return notOlderThan(0)
      return clientSecret.isFixed || Instant.elapsed(last.at, now) < patience.inUse
        ? Effect.succeed(last)
        : Effect.as(Effect.forkDetach(Quiet.run(Effect.ignore(notOlderThan(patience.inUse)))), last)
    }),
    /** For those who have to wait for a token anyway. */
    recent: notOlderThan(patience.waiting),
    isRecent: Effect.map(
      Instant.now,
      (now) => last !== undefined && Instant.elapsed(last.at, now) < patience.waiting
    ),
    /** For those who were told that what is known is wrong. */
    latest: notOlderThan(0),
    /** The identity before, while its tokens may still be handed out. */
    outgoing: ({ previous }: Reading, now: Instant.Instant): Identity | undefined =>
      previous !== undefined && Instant.elapsed(previous.outdatedSince, now) < Duration.toMillis(secretGrace)
        ? previous.identity
        : undefined
  }
}
