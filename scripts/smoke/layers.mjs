// An Effect program against the packed libraries.
import { AccessToken, WorkloadIdentity } from "@effect-identity/workload-identity"
import { NodeWorkloadIdentity } from "@effect-identity/workload-identity/node"
import { Duration, Effect, Redacted } from "effect"
import assert from "node:assert/strict"

const program = Effect.gen(function*() {
  const identity = yield* WorkloadIdentity.WorkloadIdentity
  const tokens = yield* Effect.all(Array.from({ length: 100 }, () => identity.accessToken), {
    concurrency: "unbounded"
  })
  assert.equal(new Set(tokens).size, 1)
  assert.match(Redacted.value(tokens[0].value), /^access-token-/)
  assert.ok(Duration.toSeconds(yield* AccessToken.remaining(tokens[0])) > 3590)
})

await Effect.runPromise(Effect.provide(program, NodeWorkloadIdentity.layer))
