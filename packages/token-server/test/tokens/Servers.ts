/**
 * Servers of tokens on one database, and what a test does to them and to it.
 */
import { Refused, StoreFailed, UpstreamFailed } from "@effect-identity/token-server/internal/Failure"
import * as BudgetStore from "@effect-identity/token-server/internal/store/BudgetStore"
import { Database } from "@effect-identity/token-server/internal/store/Database"
import { KeyRing } from "@effect-identity/token-server/internal/store/KeyRing"
import * as RealmStore from "@effect-identity/token-server/internal/store/RealmStore"
import * as SecretStore from "@effect-identity/token-server/internal/store/SecretStore"
import * as TokenStore from "@effect-identity/token-server/internal/store/TokenStore"
import * as TokenEngine from "@effect-identity/token-server/internal/tokens/TokenEngine"
import { Tokens } from "@effect-identity/token-server/internal/tokens/Tokens"
import { Clock, Context, type Duration, Effect, Latch, Layer, Redacted } from "effect"
import { SecureRandom } from "effect/crypto"
import { TestClock } from "effect/testing"
import { setImmediate } from "node:timers/promises"
import { layer as layerOfPlace, Place } from "../Database.ts"
import { ring } from "../store/Stores.ts"
import { Issuer } from "./Issuer.ts"

const clockOfProcess = Context.get(Context.empty(), Clock.Clock)

/** Drivers wait for their sockets by the clock of the process, whatever time a test says it is. */
const inProcessTime = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.provideService(effect, Clock.Clock, clockOfProcess)

const inProcessTimeToo = <A, E, R>(layer: Layer.Layer<A, E, R>) =>
  Layer.effectContext(inProcessTime(Layer.build(layer)))

/** What was handed to a database, or to the cryptography of the platform, and has not come back yet. */
let underWay = 0

const counted = <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    underWay++
    return Effect.ensuring(
      work,
      Effect.sync(() => {
        underWay--
      })
    )
  })

const keys = Layer.effect(
  KeyRing,
  Effect.map(KeyRing, (ring) =>
    KeyRing.of({
      ...ring,
      seal: (text, place) => counted(ring.seal(text, place)),
      open: (sealed, place) => counted(ring.open(sealed, place)),
      fingerprint: (secret) => counted(ring.fingerprint(secret))
    }))
).pipe(Layer.provide(ring))

const clockOfTest = Effect.map(Effect.all([Database, Clock.Clock]), ([database, clock]) =>
  Database.of({
    ...database,
    run: (statements) => counted(inProcessTime(database.run(statements))),
    transaction: (statements) => counted(inProcessTime(database.transaction(statements))),
    get clock() {
      return database.sql.literal(String(Math.floor(clock.currentTimeMillisUnsafe())))
    }
  }))

/** What is wrong with a database, for the servers that look at it through this, and what happens between their statements. */
export class Trouble {
  /** Every statement, because it is gone or because it is slow, or only those that write tokens. */
  kind: "none" | "down" | "busy" | "full" = "none"
  beforeClaim: Effect.Effect<void> = Effect.void
  afterConfirm: Effect.Effect<void> = Effect.void
}

const troubled = (trouble: Trouble) =>
  Effect.map(Database, (database) =>
    Database.of({
      ...database,
      get clock() {
        return database.clock
      },
      run: (statements) =>
        Effect.suspend(() => {
          if (trouble.kind === "down") return Effect.fail(new StoreFailed({ detail: "unavailable" }))
          if (trouble.kind === "busy") return Effect.fail(new StoreFailed({ detail: "busy" }))
          return database.run(statements)
        })
    }))

/** Only the stores of tokens and budgets write here. */
const full = (trouble: Trouble) =>
  Layer.effect(
    TokenStore.TokenStore,
    Effect.map(TokenStore.TokenStore, (store) => {
      const guarded = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
        Effect.suspend((): Effect.Effect<A, E | StoreFailed, R> =>
          trouble.kind === "full" ? Effect.fail(new StoreFailed({ detail: "full" })) : effect
        )
      return TokenStore.TokenStore.of({
        read: store.read,
        claim: (place, options) =>
          guarded(Effect.andThen(Effect.suspend(() => trouble.beforeClaim), store.claim(place, options))),
        confirm: (claim, forMillis) =>
          guarded(Effect.tap(store.confirm(claim, forMillis), Effect.suspend(() => trouble.afterConfirm))),
        store: (claim, token) => guarded(store.store(claim, token)),
        doubt: (claim, sentAt) => guarded(store.doubt(claim, sentAt)),
        fail: (claim, failure) => guarded(store.fail(claim, failure)),
        release: (claim) => guarded(store.release(claim))
      })
    })
  )

/** A server of its own, with connections of its own, on the database of the test; closed with the scope. */
export const open = (issuer: Issuer, trouble = new Trouble()) =>
  Effect.gen(function*() {
    const place = yield* Place
    const database = Layer.effect(Database, troubled(trouble)).pipe(
      Layer.provide(Layer.effect(Database, clockOfTest)),
      Layer.provide(inProcessTimeToo(place.open))
    )
    const own = Layer.mergeAll(
      full(trouble).pipe(Layer.provide(TokenStore.layer)),
      BudgetStore.layer,
      RealmStore.layer,
      SecretStore.layer
    ).pipe(Layer.provide(keys), Layer.provide(database))
    const layer = TokenEngine.layer.pipe(
      Layer.provide(Layer.mergeAll(own, issuer.layer, SecureRandom.layerWebCrypto))
    )
    return Context.get(yield* Layer.build(Layer.fresh(layer)), Tokens)
  })

export const config = {
  url: "https://upstream.example/token",
  method: "GET",
  arguments: [{ name: "secret", place: "url", value: "$key_1" }],
  token_path: "access_token",
  expires_in_path: "expires_in",
  timeout_ms: 1000
}

const stores = Layer.mergeAll(RealmStore.layer, SecretStore.layer, TokenStore.layer, BudgetStore.layer).pipe(
  Layer.provideMerge(ring)
)

/** The database of a test, and the stores of whoever administrates it, which no server notices. */
export const layer = stores.pipe(
  Layer.provideMerge(Layer.effect(Database, clockOfTest)),
  Layer.provideMerge(inProcessTimeToo(layerOfPlace))
)

export const saveRealm = (id: string, more: object = {}) =>
  Effect.flatMap(
    RealmStore.RealmStore,
    ({ save }) => save({ id, comment: "", config: { ...config, ...more }, version: undefined })
  )

export const saveSecret = (realm: string, key: string, value: string) =>
  Effect.flatMap(
    SecretStore.SecretStore,
    ({ save }) => save({ realm, key, values: new Map([["key_1", Redacted.make(value)]]), generation: undefined })
  )

/** So that no moment is 0. */
const start = TestClock.setTime(1_800_000_000_000)

/** The key that the tests ask for. */
export const app = { realm: "wx", key: "app", minTtl: undefined }

/** Its realm and its secret, and the upstream of whoever is to serve it. */
export const setUp = Effect.fnUntraced(function*(more: object) {
  yield* start
  yield* saveRealm("wx", more)
  yield* saveSecret("wx", "app", "s1")
  return new Issuer()
})

export const refused = (isRetryable: boolean, retryAfter?: Duration.Duration) =>
  new UpstreamFailed({
    reason: new Refused({ status: 400, code: "40001", isRetryable }),
    requestId: undefined,
    retryAfter
  })

/** Lets everything that goes on go on until something has happened, without time passing for it. */
export const until = (condition: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() =>
    condition()
      ? Effect.void
      : Effect.flatMap(TestClock.withLive(Effect.sleep("2 millis")), () => until(condition))
  )

/** Turns of the event loop with nothing under way outside of it, after which nothing goes on before time passes. */
const quietTurns = 5

/** Waits until all that goes on has come to wait for time to pass, or for a gate, however slow the database is. */
export const settled: Effect.Effect<void> = Effect.promise(async () => {
  for (let quiet = 0; quiet < quietTurns; quiet = underWay === 0 ? quiet + 1 : 0) await setImmediate()
})

/** A place where a request stops until it is told to go on. */
export class Gate {
  readonly #latch = Latch.makeUnsafe(false)
  reached = 0

  readonly stop = Effect.suspend(() => {
    this.reached++
    return this.#latch.await
  })

  readonly open = this.#latch.open
  /** Waits for a request to stop here. */
  readonly arrival = until(() => this.reached > 0)
}

/** Lets time pass, a little at once and whenever nothing goes on without, until something has happened. */
export const inTime = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.raceFirst(effect, Effect.forever(Effect.andThen(settled, TestClock.adjust("25 millis"))))
