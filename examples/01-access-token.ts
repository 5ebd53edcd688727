/**
 * An Effect program that gets the access token of its workload. The `COZE_*` variables say who it is.
 */
import { AccessToken, WorkloadIdentity } from "@effect-identity/workload-identity"
import { NodeWorkloadIdentity } from "@effect-identity/workload-identity/node"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Duration, Effect } from "effect"

const program = Effect.gen(function*() {
  const identity = yield* WorkloadIdentity.WorkloadIdentity
  const token = yield* identity.accessToken
  const left = Duration.toSeconds(yield* AccessToken.remaining(token))
  yield* Console.log(`token ${token.value}, ${Math.floor(left)} s left`)
})

NodeRuntime.runMain(Effect.provide(program, NodeWorkloadIdentity.layer))
