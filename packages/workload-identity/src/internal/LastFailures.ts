/**
 * The last failure of each step, by its fields.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import type { Failure } from "../Diagnosis.ts"
import type { Step, WorkloadIdentityError } from "../WorkloadIdentityError.ts"

const fieldsOf = (error: WorkloadIdentityError, at: number): Failure => ({
  at,
  step: error.step,
  reason: error.reason,
  retryable: error.retryable,
  ...(error.detail !== undefined && { detail: error.detail }),
  ...(error.httpStatus !== undefined && { httpStatus: error.httpStatus }),
  ...(error.oauthCode !== undefined && { oauthCode: error.oauthCode }),
  ...(error.apiCode !== undefined && { apiCode: error.apiCode }),
  ...(error.logId !== undefined && { logId: error.logId }),
  ...(error.retryAfterMs !== undefined && { retryAfterMs: error.retryAfterMs })
})

export const make = Effect.gen(function*() {
  const failures = yield* Ref.make<Readonly<Partial<Record<Step, Failure>>>>({})

  const recording = <A, E extends WorkloadIdentityError>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.tapError(
      effect,
      (error) =>
        Effect.flatMap(
          Clock.currentTimeMillis,
          (at) => Ref.update(failures, (all) => ({ ...all, [error.step]: fieldsOf(error, at) }))
        )
    )

  return { recording, all: Ref.get(failures) }
})
