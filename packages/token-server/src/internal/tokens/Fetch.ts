/**
 * Fetches a token once for all servers on one database.
 *
 * Whoever fetches has a claim, and reads again once it has it. The claim is confirmed right before the request leaves: a
 * server that was stopped in between, and another one fetched meanwhile, asks for nothing. What comes back is stored only
 * where nothing was sent for after it.
 */
import * as Instant from "@effect-identity/oauth/Instant"
import { InvalidResponse, Timeout } from "@effect-identity/oauth/OAuthError"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import type { Realm } from "../../Realm.ts"
import { type StoreFailed, Unusable, UpstreamFailed } from "../Failure.ts"
import * as Lease from "../realm/Lease.ts"
import { BudgetStore } from "../store/BudgetStore.ts"
import { SecretStore } from "../store/SecretStore.ts"
import { type Claim, isSameSecret, TokenStore } from "../store/TokenStore.ts"
import { type Obtained, Upstream } from "../upstream/Upstream.ts"
import * as Held from "./Held.ts"
import type { Look, Looked } from "./Look.ts"
import * as Pause from "./Pause.ts"
import type { Landed, Slot } from "./Slot.ts"

/** What is to be brought. */
export interface Want {
  /** Life that a stored token must have, in milliseconds. */
  readonly minTtl: number | undefined
  /** The version that does not do; `stored` is the one that is stored at first sight. */
  readonly replaces: number | "stored" | undefined
  /** Whether a request for it counts against the budget, while the stored token is alive. */
  readonly isForced: boolean
}

interface Mark {
  readonly sentAt: number
  readonly at: Instant.Instant
}

const shortestWait = 25
const longestWait = 250

/** How often one fetch may find out at its end that it does not count. */
const attempts = 5

const failed = (reason: UpstreamFailed["reason"]) =>
  new UpstreamFailed({ reason, requestId: undefined, retryAfter: undefined })

const superseded = failed(new Unusable({ detail: "superseded" }))

const isSuperseded = ({ reason }: UpstreamFailed): boolean =>
  reason._tag === "Unusable" && reason.detail === "superseded"

export const make = Effect.fnUntraced(function*(look: Look) {
  const budgets = yield* BudgetStore
  const random = yield* SecureRandom.SecureRandom
  const secrets = yield* SecretStore
  const tokens = yield* TokenStore
  const upstream = yield* Upstream

  /** Without a claim, where nothing can be written: only for tokens that do not end each other. */
  const claimFor = (slot: Slot, { reading, realm }: Looked, { isForced }: Want) =>
    Effect.flatMap(
      random.uuidV4(),
      (tag) =>
        tokens.claim(slot, { tag, secret: reading.secret, leaseMillis: Duration.toMillis(Lease.of(realm.timeout)) })
    ).pipe(
      Effect.catchTag("StoreFailed", (error) =>
        error.detail === "full" && realm.overlap === undefined && !isForced
          ? Effect.succeed("unwritable" as const)
          : Effect.fail(error))
    )

  const confirm = Effect.fnUntraced(function*(realm: Realm, claim: Claim, begun: Instant.Instant) {
    const timeout = Duration.toMillis(realm.timeout)
    const at = yield* Instant.now
    const sentAt = yield* tokens.confirm(claim, Math.max(0, timeout - Instant.elapsed(begun, at))).pipe(
      Effect.catchTag(
        "StoreFailed",
        (error) => realm.overlap === undefined ? Effect.succeed(claim.at) : Effect.fail(error)
      )
    )
    // An answer that was long on its way says what was true then.
    if (sentAt === undefined || Instant.elapsed(begun, yield* Instant.now) >= timeout) return yield* superseded
    return { sentAt, at }
  })

  const keep = Effect.fnUntraced(function*(
    slot: Slot,
    { reading, realm }: Looked,
    claim: Claim | undefined,
    mark: Mark,
    { lifetime, requestedAt, value }: Obtained
  ) {
    const now = yield* Instant.now
    const life = Math.floor(Duration.toMillis(lifetime))
    const token = {
      value,
      version: claim?.number ?? reading.now,
      secret: reading.secret,
      lifetime: life,
      left: life,
      leftAt: requestedAt
    }
    const expiresAt = Math.floor(mark.sentAt + life - Instant.elapsed(requestedAt, mark.at))
    const unstored = { claim, sentAt: mark.sentAt, expiresAt }
    const stored = claim === undefined
      ? Result.succeed(undefined)
      : yield* Effect.result(tokens.store(claim, { value, sentAt: mark.sentAt, expiresAt, lifetime: life }))
    if (Result.isSuccess(stored) && stored.success === false) return undefined
    const held = Held.make(
      { ...token, unstored: Result.isSuccess(stored) && stored.success === true ? undefined : unstored },
      Held.seen({ ...reading, doubtSince: undefined, isLeased: false }, now, realm),
      realm,
      yield* Random.next
    )
    return slot.hold(held)
  })

  /** Fails with what the upstream is the reason of, for a while; not when somebody else has asked by now. */
  const remember = Effect.fnUntraced(function*(
    slot: Slot,
    realm: Realm,
    claim: Claim | undefined,
    mark: Mark | undefined,
    error: UpstreamFailed
  ) {
    slot.streak++
    const now = yield* Instant.now
    const { held } = slot
    const pauseMillis = Pause.millis(error, {
      drawn: yield* Random.next,
      streak: slot.streak,
      heldFor: held === undefined || !Held.isAlive(held, now)
        ? undefined
        : Math.min(
          Held.remaining(held, now),
          mark === undefined || Pause.isSettled(error) ? Number.POSITIVE_INFINITY : Held.unseenFor(realm)
        )
    })
    const settled = Pause.isSettled(error) ? mark?.sentAt : undefined
    const isOurs = claim === undefined || (yield* tokens.fail(claim, { error, pauseMillis, settled }).pipe(
      Effect.orElseSucceed(() => true)
    ))
    if (!isOurs) return undefined
    return yield* new UpstreamFailed({
      reason: error.reason,
      requestId: error.requestId,
      retryAfter: Duration.millis(Math.ceil(pauseMillis))
    })
  })

  const ask = Effect.fnUntraced(function*(slot: Slot, looked: Looked, claim: Claim | undefined, isForced: boolean) {
    const { reading, realm } = looked
    const secret = yield* secrets.open(slot.realm, slot.key)
    if (secret.generation !== reading.secret.generation) return undefined
    const begun = yield* Instant.now
    const marks: Array<Mark> = []
    const marked: Effect.Effect<Mark, StoreFailed | UpstreamFailed> = claim === undefined
      ? Effect.map(Instant.now, (at) => ({ at, sentAt: reading.now }))
      : confirm(realm, claim, begun)
    const beforeSend = Effect.map(marked, (mark) => {
      marks.push(mark)
    })
    const answer = yield* Effect.result(upstream.obtain(realm, secret.values, beforeSend, isForced))
    const sent = marks.at(-1)
    const isLate = Instant.elapsed(begun, yield* Instant.now) > Duration.toMillis(realm.timeout)
    const suspect = claim === undefined || sent === undefined || !isLate
      ? Effect.void
      : Effect.ignore(tokens.doubt(claim, sent.sentAt))
    if (Result.isFailure(answer)) {
      const error = answer.failure
      yield* suspect
      if (error._tag === "StoreFailed") return yield* error
      if (isSuperseded(error)) return undefined
      return yield* remember(slot, realm, claim, sent, error)
    }
    const life = Duration.toMillis(answer.success.lifetime)
    const age = Instant.elapsed(answer.success.requestedAt, yield* Instant.now)
    if (sent === undefined || life - age <= Held.handOverMinimum(life)) {
      const error = failed(new InvalidResponse({ status: undefined, detail: "expired" }))
      return yield* remember(slot, realm, claim, sent, error)
    }
    const held = yield* keep(slot, looked, claim, sent, answer.success)
    if (held === undefined) yield* suspect
    else slot.streak = 0
    return held
  })

  const attempt = Effect.fnUntraced(function*(
    slot: Slot,
    looked: Looked,
    want: Want,
    find: (looked: Looked) => Effect.Effect<Held.Held | undefined>
  ) {
    const claim = yield* claimFor(slot, looked, want)
    if (claim === undefined) return "busy" as const
    if (claim === "unwritable") {
      const held = yield* ask(slot, looked, undefined, false)
      return held === undefined ? undefined : { held, source: "upstream" } satisfies Landed
    }
    const claimed = Effect.gen(function*() {
      // Whoever had the claim before may have stored a token since it was looked for.
      const again = yield* look(slot)
      const found = yield* find(again)
      if (found !== undefined) return { held: found, source: "database" } satisfies Landed
      if (!isSameSecret(again.reading.secret, claim.secret)) return undefined
      if (again.reading.failure !== undefined) return yield* again.reading.failure.error
      const isForced = want.isForced && again.held !== undefined && Held.isAlive(again.held, yield* Instant.now)
      if (isForced) yield* budgets.take(slot, again.realm.refreshBudget)
      const held = yield* ask(slot, again, claim, isForced)
      return held === undefined ? undefined : { held, source: "upstream" } satisfies Landed
    })
    return yield* Effect.onExit(
      claimed,
      (exit) =>
        Exit.isSuccess(exit) && exit.value?.source === "upstream" ? Effect.void : Effect.ignore(tokens.release(claim))
    )
  })

  return Effect.fnUntraced(function*(slot: Slot, want: Want) {
    let waitsSince = yield* Instant.now
    let lost = 0
    let replaces: number | undefined
    let wait = shortestWait
    let isFirst = true
    const find = ({ held }: Looked) =>
      Effect.map(
        Instant.now,
        (now) =>
          held !== undefined && held.version !== replaces && Held.isUsable(held, want.minTtl, now) ? held : undefined
      )
    for (;;) {
      const looked = yield* look(slot)
      const { reading, realm } = looked
      if (isFirst) replaces = want.replaces === "stored" ? looked.held?.version : want.replaces
      isFirst = false
      const found = yield* find(looked)
      if (found !== undefined) return { held: found, source: "database" } satisfies Landed
      if (reading.failure !== undefined) return yield* reading.failure.error
      if (!reading.isLeased) {
        const landed = yield* attempt(slot, looked, want, find)
        if (landed !== undefined && landed !== "busy") return landed
        if (landed === undefined) {
          // Somebody else was quicker, or the secret is another one now. What that took is no reason to give up.
          if (++lost === attempts) return yield* superseded
          waitsSince = yield* Instant.now
        }
      }
      const patience = 2 * Duration.toMillis(Lease.of(realm.timeout)) + Duration.toMillis(realm.timeout)
      if (Instant.elapsed(waitsSince, yield* Instant.now) > patience) {
        return yield* failed(new Timeout({ detail: "total" }))
      }
      yield* Effect.sleep(Duration.millis(wait * (0.5 + 0.5 * (yield* Random.next))))
      wait = Math.min(longestWait, wait * 2)
    }
  })
})

export type Fetch = Effect.Success<ReturnType<typeof make>>
