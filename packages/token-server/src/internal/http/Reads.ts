/**
 * Who read which token, and who was refused for a role, counted in memory and written to the audit trail every few seconds. A store that cannot take it now
 * gets it later, and keeps nobody from a token.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { type AuditEntry, AuditStore } from "../store/AuditStore.ts"
import { KeyRing } from "../store/KeyRing.ts"

export type ReadAction = "token.read" | "token.flush" | "token.report"

interface Count {
  readonly actor: string
  readonly action: string
  readonly realm: string | undefined
  readonly key: string | undefined
  readonly outcome: AuditEntry["outcome"]
  count: number
}

/** How often counts are written. */
export const Interval = Context.Reference<Duration.Duration>(
  "@effect-identity/token-server/internal/http/Reads/Interval",
  { defaultValue: () => Duration.seconds(5) }
)

/** How many different counts wait for the store at most. */
const capacity = 100_000

export class Reads extends Context.Service<Reads, {
  readonly countUnsafe: (
    actor: string,
    action: ReadAction,
    realm: string,
    key: string,
    outcome: AuditEntry["outcome"]
  ) => void
  /** The role of a key was too low for a route. */
  readonly countRefusalUnsafe: (actor: string, route: string) => void
  /** Writes what was counted. */
  readonly flush: Effect.Effect<void>
}>()("@effect-identity/token-server/internal/http/Reads") {}

export const make: Effect.Effect<Reads["Service"], never, AuditStore | KeyRing | Scope.Scope> = Effect.gen(function*() {
  const store = yield* AuditStore
  const ring = yield* KeyRing
  let counts = new Map<string, Count>()
  let lost = 0

  const add = ({ action, actor, count, key, outcome, realm }: Count): void => {
    // A blank is in none of the parts but the route of a refusal, which has no realm.
    const name = `${actor} ${action} ${outcome} ${realm} ${key}`
    const known = counts.get(name)
    if (known !== undefined) known.count += count
    else if (counts.size < capacity) counts.set(name, { action, actor, count, key, outcome, realm })
    else lost += count
  }

  const write = Effect.fnUntraced(function*(waiting: ReadonlyArray<Count>) {
    const entries = yield* Effect.forEach(waiting, ({ key, ...count }) =>
      Effect.map(
        key === undefined ? Effect.undefined : ring.fingerprint(Redacted.make(key)),
        (subject): AuditEntry => ({ ...count, subject })
      ))
    yield* store.append(entries)
  })

  const flush = Effect.gen(function*() {
    if (counts.size === 0) return
    const waiting = [...counts.values()]
    counts = new Map()
    if (lost > 0) {
      yield* Effect.logError("reads of tokens were not counted").pipe(Effect.annotateLogs("count", lost))
      lost = 0
    }
    yield* write(waiting).pipe(
      Effect.catchTag("StoreFailed", (error) => {
        waiting.forEach(add)
        return Effect.annotateLogs(Effect.logWarning("the audit trail waits for its store"), {
          "error.message": error.message
        })
      })
    )
  }).pipe(Effect.uninterruptible)

  yield* Effect.addFinalizer(() => flush)
  yield* flush.pipe(Effect.repeat(Schedule.spaced(yield* Interval)), Effect.forkScoped)

  return Reads.of({
    countUnsafe: (actor, action, realm, key, outcome) => add({ actor, action, realm, key, outcome, count: 1 }),
    countRefusalUnsafe: (actor, action) =>
      add({ actor, action, realm: undefined, key: undefined, outcome: "denied", count: 1 }),
    flush
  })
})

export const layer: Layer.Layer<Reads, never, AuditStore | KeyRing> = Layer.effect(Reads, make)
