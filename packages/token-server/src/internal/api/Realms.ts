/**
 * Realms over HTTP.
 */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { Access, Answers, LowestRole } from "./Access.ts"
import { Flag, listOf, paging, RealmId, text, wholeNumber } from "./Fields.ts"

export const Realm = Schema.Struct({
  id: RealmId,
  comment: Schema.String,
  config: Schema.Json,
  version: Schema.Int,
  created_at: Schema.DateTimeUtcFromString,
  updated_at: Schema.DateTimeUtcFromString
})

export const Preset = Schema.Struct({
  id: Schema.String,
  title: Schema.String,
  /** What the secret has under each name. */
  keys: Schema.Record(Schema.String, Schema.String),
  config: Schema.Json
})

export const RealmsGroup = HttpApiGroup.make("realms")
  .add(
    HttpApiEndpoint.get("list", "/realm", {
      query: { ...paging, keyword: Schema.optionalKey(text(200)) },
      success: listOf(Realm)
    })
      .annotate(LowestRole, "operator")
      .annotate(OpenApi.Description, "The realms that the key may touch.")
  )
  .add(
    HttpApiEndpoint.post("save", "/realm", {
      payload: Schema.Struct({
        id: RealmId,
        comment: Schema.optionalKey(text(5000)),
        config: Schema.Json,
        version: Schema.optionalKey(wholeNumber(0, Number.MAX_SAFE_INTEGER))
      }),
      success: Realm
    }).annotate(
      OpenApi.Description,
      "Makes a realm or replaces it. version, where given, is the one that is replaced; 0: there must be none."
    )
  )
  .add(
    HttpApiEndpoint.get("get", "/realm/:id", { params: { id: RealmId }, success: Realm })
      .annotate(LowestRole, "operator")
  )
  .add(
    HttpApiEndpoint.delete("remove", "/realm/:id", {
      params: { id: RealmId },
      query: { cascade: Schema.optionalKey(Flag) },
      success: HttpApiSchema.NoContent
    }).annotate(OpenApi.Description, "Removes a realm. While it has secrets that takes cascade=true.")
  )
  .add(
    HttpApiEndpoint.get("presets", "/presets", { success: listOf(Preset) })
      .annotate(LowestRole, "reader")
      .annotate(OpenApi.Description, "Realms that are known well enough to be copied.")
  )
  .middleware(Access)
  .middleware(Answers)
