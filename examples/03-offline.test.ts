/**
 * A test of a program like the first one, which needs neither platform nor network: its identity answers from a record.
 */
import { WorkloadIdentity, WorkloadIdentityError } from "@effect-identity/workload-identity"
import { assert, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"

const authorization = Effect.gen(function*() {
  const identity = yield* WorkloadIdentity.WorkloadIdentity
  const token = yield* identity.accessToken
  return `Bearer ${Redacted.value(token.value)}`
}).pipe(Effect.catchTag("TokenExchangeError", () => Effect.succeed("anonymous")))

it.effect("signs with the token of the workload", () =>
  Effect.gen(function*() {
    assert.strictEqual(yield* authorization, "Bearer offline-token")
  }).pipe(Effect.provide(WorkloadIdentity.layerTest({ accessToken: "offline-token" }))))

it.effect("goes on without a name when the platform refuses", () =>
  Effect.gen(function*() {
    assert.strictEqual(yield* authorization, "anonymous")
  }).pipe(Effect.provide(WorkloadIdentity.layerTest({
    accessToken: new WorkloadIdentityError.TokenExchangeError("denied", {
      step: "accessToken",
      reason: "OAuth",
      retryable: false
    })
  }))))
