/**
 * The last failure of each step, by its fields.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import type { Failure } from "../Diagnosis.ts"
import type { Step, WorkloadIdentityError } from "../WorkloadIdentityError.ts"
import { detailsOf } from "./Failure.ts"

export const make = Effect.gen(function*() {
  const failures = yield* Ref.make<Readonly<Partial<Record<Step, Failure>>>>({})

  const recording = <A, E extends WorkloadIdentityError>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.tapError(
      effect,
      (error) =>
        Effect.flatMap(
          Clock.currentTimeMillis,
          (at) => Ref.update(failures, (all) => ({ ...all, [error.step]: { at, ...detailsOf(error) } }))
        )
    )

  return { recording, all: Ref.get(failures) }
})
