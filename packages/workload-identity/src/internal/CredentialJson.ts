/**
 * Reads credentials by a schema. `CredentialReader` loads it, so that only those load schemas who use them.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { OutboundAuthError } from "../WorkloadIdentityError.ts"

export const decode = <A, I>(
  schema: Schema.Codec<A, I>
): (credential: Redacted.Redacted) => Effect.Effect<A, OutboundAuthError> => {
  const decode = Schema.decodeEffect(Schema.fromJsonString(Schema.toCodecJson(schema)))
  return (credential) =>
    Effect.mapError(
      decode(Redacted.value(credential)),
      () =>
        new OutboundAuthError("credential is not JSON of the expected form", {
          step: "integrationCredential",
          reason: "InvalidResponse",
          detail: "credentialJson",
          retryable: false
        })
    )
}
