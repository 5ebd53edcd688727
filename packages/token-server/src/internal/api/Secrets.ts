/**
 * Secrets over HTTP: written, and never read.
 */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { Access, Answers, LowestRole } from "./Access.ts"
import { listOf, paging, RealmId, SecretKey, wholeNumber } from "./Fields.ts"

const valueRule = "must be text of 1 to 16384 characters"

const Value = Schema.optionalKey(Schema.RedactedFromValue(
  Schema.String.annotate({ message: valueRule }).check(Schema.isBetweenLength(1, 16_384, { message: valueRule }))
))

/** The values that `$key_n` stands for. */
const values = {
  key_1: Value,
  key_2: Value,
  key_3: Value,
  key_4: Value,
  key_5: Value,
  key_6: Value,
  key_7: Value,
  key_8: Value
}

export const valueNames: ReadonlyArray<keyof typeof values> = [
  "key_1",
  "key_2",
  "key_3",
  "key_4",
  "key_5",
  "key_6",
  "key_7",
  "key_8"
]

export const Secret = Schema.Struct({
  realm: RealmId,
  key: SecretKey,
  generation: Schema.Int,
  fingerprints: Schema.Record(Schema.String, Schema.String),
  created_at: Schema.DateTimeUtcFromString,
  rotated_at: Schema.DateTimeUtcFromString
})

export const SavedSecret = Schema.Struct({
  realm: RealmId,
  key: SecretKey,
  generation: Schema.optionalKey(wholeNumber(0, Number.MAX_SAFE_INTEGER)),
  ...values
})

const params = { realm: RealmId, key: SecretKey }

export const SecretsGroup = HttpApiGroup.make("secrets")
  .add(
    HttpApiEndpoint.get("list", "/secret", {
      query: { ...paging, realm: Schema.optionalKey(RealmId) },
      success: listOf(Secret)
    })
      .annotate(LowestRole, "operator")
      .annotate(
        OpenApi.Description,
        "Fingerprints and ages of secrets. A key for some realms only has to say which realm."
      )
  )
  .add(
    HttpApiEndpoint.post("save", "/secret", { payload: SavedSecret, success: Secret })
      .annotate(LowestRole, "operator")
      .annotate(
        OpenApi.Description,
        "Makes a secret or replaces all its values. generation, where given, is the one that is replaced; 0: there must be none."
      )
  )
  .add(
    HttpApiEndpoint.get("get", "/secret/:realm/:key", { params, success: Secret }).annotate(LowestRole, "operator")
  )
  .add(
    HttpApiEndpoint.delete("remove", "/secret/:realm/:key", { params, success: HttpApiSchema.NoContent })
      .annotate(LowestRole, "operator")
  )
  .middleware(Access)
  .middleware(Answers)
