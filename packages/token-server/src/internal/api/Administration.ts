/**
 * API keys and the audit trail over HTTP.
 */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { Access, AllRealms, Answers } from "./Access.ts"
import { KeyName, listOf, paging, RealmId, text } from "./Fields.ts"

const grantsRule = "must be * or a list of at most 100 ids of realms"

const ApiKeyFields = {
  name: KeyName,
  role: Schema.Literals(["admin", "operator", "reader"]).annotate({ message: "must be admin, operator or reader" }),
  realms: Schema.Union([
    Schema.Literal("*"),
    Schema.Array(RealmId).check(Schema.isMaxLength(100, { message: grantsRule }))
  ]).annotate({ message: grantsRule })
}

export const ApiKey = Schema.Struct({
  id: Schema.String,
  ...ApiKeyFields,
  created_at: Schema.DateTimeUtcFromString,
  expires_at: Schema.NullOr(Schema.DateTimeUtcFromString),
  revoked_at: Schema.NullOr(Schema.DateTimeUtcFromString)
})

export const ApiKeysGroup = HttpApiGroup.make("apiKeys")
  .add(HttpApiEndpoint.get("list", "/key", { query: paging, success: listOf(ApiKey) }))
  .add(
    HttpApiEndpoint.post("create", "/key", {
      payload: Schema.Struct({
        ...ApiKeyFields,
        expires_at: Schema.optionalKey(
          Schema.DateTimeUtcFromString.annotate({ message: "must be a date and time of ISO 8601" })
        )
      }),
      success: Schema.Struct({ ...ApiKey.fields, key: Schema.RedactedFromValue(Schema.String) })
    }).annotate(OpenApi.Description, "Makes a key. Its text is in this answer, and nowhere else.")
  )
  .add(
    HttpApiEndpoint.delete("revoke", "/key/:id", {
      params: { id: Schema.String.check(Schema.isPattern(/^\w{1,64}$/, { message: "must be the id of a key" })) },
      success: HttpApiSchema.NoContent
    }).annotate(OpenApi.Description, "From now on nobody gets in with it; on other servers within five seconds.")
  )
  .annotateEndpoints(AllRealms, true)
  .middleware(Access)
  .middleware(Answers)

export const AuditEntry = Schema.Struct({
  id: Schema.Int,
  at: Schema.DateTimeUtcFromString,
  actor: Schema.String,
  action: Schema.String,
  realm: Schema.NullOr(Schema.String),
  subject: Schema.NullOr(Schema.String),
  outcome: Schema.Literals(["ok", "denied", "failed"]),
  count: Schema.Int
})

const Moment = Schema.optionalKey(
  Schema.DateTimeUtcFromString.annotate({ message: "must be a date and time of ISO 8601" })
)

export const AuditGroup = HttpApiGroup.make("audit")
  .add(
    HttpApiEndpoint.get("list", "/audit", {
      query: {
        ...paging,
        actor: Schema.optionalKey(text(100)),
        action: Schema.optionalKey(text(100)),
        realm: Schema.optionalKey(RealmId),
        since: Moment,
        until: Moment
      },
      success: listOf(AuditEntry)
    }).annotate(
      OpenApi.Description,
      "Who did what, newest first. Subjects are keyed hashes; reads of tokens are counted, not listed one by one."
    )
  )
  .annotateEndpoints(AllRealms, true)
  .middleware(Access)
  .middleware(Answers)
