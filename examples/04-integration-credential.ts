/**
 * Like the first one, but what it wants is behind the token: the credential of an integration, which is JSON text.
 */
import { WorkloadIdentity } from "@effect-identity/workload-identity"
import { NodeWorkloadIdentity } from "@effect-identity/workload-identity/node"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Schema } from "effect"

const Mail = Schema.Struct({
  account: Schema.String,
  auth_code: Schema.RedactedFromValue(Schema.String),
  imap_port: Schema.Int
})

const program = Effect.gen(function*() {
  const identity = yield* WorkloadIdentity.WorkloadIdentity
  const mail = yield* identity.integrationCredentialJson("integration-email-imap-smtp", Mail)
  yield* Console.log(`${mail.account} on port ${mail.imap_port}, code ${mail.auth_code}`)
})

NodeRuntime.runMain(Effect.provide(program, NodeWorkloadIdentity.layer))
