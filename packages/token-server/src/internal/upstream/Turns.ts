/**
 * Turns at the upstreams: so many requests at once for each realm, and so many that wait.
 */
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import type { Realm } from "../../Realm.ts"
import { Unusable, UpstreamFailed } from "../Failure.ts"

/** Who comes after so many has to come again: they would wait longer than they may. */
const longestQueue = 64

const full = new UpstreamFailed({
  reason: new Unusable({ detail: "queue" }),
  requestId: undefined,
  retryAfter: undefined
})

interface Queue {
  readonly limit: number
  readonly semaphore: Semaphore.Semaphore
  inside: number
}

export const make = () => {
  const queues = new Map<string, Queue>()

  const enter = ({ concurrency, id }: Pick<Realm, "concurrency" | "id">): Effect.Effect<Queue, UpstreamFailed> =>
    Effect.suspend(() => {
      const found = queues.get(id)
      const queue = found?.limit === concurrency
        ? found
        : { limit: concurrency, semaphore: Semaphore.makeUnsafe(concurrency), inside: 0 }
      if (queue.inside >= queue.limit + longestQueue) return full
      queues.set(id, queue)
      queue.inside++
      return Effect.succeed(queue)
    })

  const leave = (id: string, queue: Queue) =>
    Effect.sync(() => {
      queue.inside--
      if (queue.inside === 0 && queues.get(id) === queue) queues.delete(id)
    })

  /** Runs an effect when it is its turn. */
  const take = <A, E, R>(realm: Pick<Realm, "concurrency" | "id">, effect: Effect.Effect<A, E, R>) =>
    Effect.acquireUseRelease(
      enter(realm),
      ({ semaphore }) => semaphore.withPermits(1)(effect),
      (queue) => leave(realm.id, queue)
    )

  return { take }
}
