/**
 * What those are told who wait for a promise instead of an effect.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"

const capture: unknown = Reflect.get(Error, "captureStackTrace")

/**
 * What a promise rejects with: the failure of a cause, or its defect.
 *
 * A failure was made inside a fiber, where its trace shows nothing but what runs fibers. Where the runtime can, it gets the trace
 * of this place, which leads to who asked. That of a defect stays: it leads to the bug.
 *
 * @example
 * ```ts
 * import { OAuthError, Rejection } from "@effect-identity/oauth"
 * import { Cause } from "effect"
 *
 * const failure = new OAuthError.OAuthError({ operation: "tokenCache", reason: new OAuthError.Closed(), requestId: undefined })
 *
 * Rejection.of(Cause.fail(failure)) === failure // => true
 * ```
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const of = (cause: Cause.Cause<unknown>): unknown => {
  const rejection = Cause.squash(cause)
  if (Cause.hasFails(cause) && rejection instanceof Error && typeof capture === "function") capture(rejection, of)
  return rejection
}
