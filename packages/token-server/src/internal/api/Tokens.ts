/**
 * Tokens over HTTP.
 */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { Access, Answers, LowestRole } from "./Access.ts"
import { digits, Flag, longestLife, RealmId, SecretKey } from "./Fields.ts"

/** As the original server answers it; `persisted` is there only when it is false. */
export const Token = Schema.Struct({
  token: Schema.RedactedFromValue(Schema.String),
  expires_in: Schema.Int,
  source: Schema.Literals(["memory", "database", "upstream"]),
  persisted: Schema.optionalKey(Schema.Literal(false))
})

export const TokensGroup = HttpApiGroup.make("tokens")
  .add(
    HttpApiEndpoint.get("get", "/token", {
      query: {
        realm: RealmId,
        key: SecretKey,
        min_ttl: Schema.optionalKey(digits(0, longestLife)),
        flush: Schema.optionalKey(Flag)
      },
      success: Token
    })
      .annotate(LowestRole, "reader")
      .annotate(
        OpenApi.Description,
        "A token, and the milliseconds that are left of it. min_ttl: how many there must be at least. "
          + "flush=true asks the upstream for a new one, within the realm's budget, and needs the role operator."
      )
  )
  .add(
    HttpApiEndpoint.post("report", "/token/report", {
      payload: Schema.Struct({
        realm: RealmId,
        key: SecretKey,
        token: Schema.RedactedFromValue(
          Schema.NonEmptyString.check(Schema.isMaxLength(32_768, { message: "must be at most 32768 characters" }))
        )
      }),
      success: Schema.Struct({ outcome: Schema.Literals(["replaced", "not-current"]) })
    })
      .annotate(LowestRole, "reader")
      .annotate(
        OpenApi.Description,
        "Somebody was refused with this token. It is replaced if it is still the one in use, within the realm's budget."
      )
  )
  .middleware(Access)
  .middleware(Answers)
