/**
 * How a realm is written down: the JSON of its `config`.
 *
 * Only shapes are told here; `Realm.decode` checks them, and what the parts have to do with each other.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

const text = (maximum: number, description: string) =>
  Schema.String.check(
    Schema.isBetweenLength(1, maximum, { expected: `a text of 1 to ${maximum} characters` })
  ).annotate({ description })

const whole = (minimum: number, maximum: number, description: string) =>
  Schema.Int.check(
    Schema.isBetween({ minimum, maximum }, { expected: `a whole number from ${minimum} to ${maximum}` })
  ).annotate({ description })

const address = text(2048, "An https address without user info and fragment")

const path = text(
  500,
  "Where in the answer: names and numbers of list entries with dots between, as in data.tokens.0.value"
)

const value = (description: string) =>
  text(4096, `${description}: literally, or $key_1 to $key_8 for what the secret has there`)

/**
 * One thing that is sent: a parameter of the address, a header, a field of the body, or what stands in the path of the
 * address where its name is in braces.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export const Argument = Schema.Struct({
  name: text(200, "What it is called"),
  place: Schema.Literals(["url", "header", "body", "path"]),
  value: Schema.Union([value("What is sent"), Schema.Finite, Schema.Boolean]),
  when: Schema.optionalKey(
    Schema.Literals(["always", "forced"]).annotate({ description: "Whether it is sent only when a token is forced" })
  )
})

const code = Schema.Union([Schema.String, Schema.Finite])

/**
 * How an answer says no, under HTTP 200 too.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export const ErrorPredicate = Schema.Struct({
  path,
  success: Schema.optionalKey(
    Schema.Array(code).annotate({ description: "What it says when all is well. By default 0, \"0\" and nothing" })
  ),
  retryable: Schema.optionalKey(Schema.Array(code).annotate({ description: "What may be gone in a while" }))
})

/**
 * How a client says who it is: by the names of RFC 7591 §2, or by a JWT that it signs (RFC 7523) and sends as bearer.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export const ClientAuthentication = Schema.Union([
  Schema.Struct({
    method: Schema.Literals(["client_secret_basic", "client_secret_post"]),
    client_id: value("The client"),
    client_secret: value("Its secret")
  }),
  Schema.Struct({
    method: Schema.Literal("bearer_jwt"),
    issuer: value("The claim iss"),
    private_key: value("An RSA key in PEM"),
    key_id: Schema.optionalKey(value("The kid of the header")),
    audience: Schema.optionalKey(value("The claim aud")),
    lifetime_seconds: Schema.optionalKey(whole(1, 3600, "From now until the claim exp")),
    backdate_seconds: Schema.optionalKey(whole(0, 300, "How far the claim iat lies back, where clocks differ"))
  })
])

/**
 * A second step: what the first answered is traded for the token (RFC 8693), under the same life and error rules.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export const TokenExchange = Schema.Struct({
  url: address,
  client_id: value("The client")
})

/**
 * The presets by name.
 *
 * @stability unstable
 * @category constants
 * @since 0.1.0
 */
export const presets = [
  "wecom",
  "wechat",
  "wechat_stable",
  "client_credentials",
  "coze_workload",
  "coze_jwt",
  "github_app",
  "fixed"
] as const

/**
 * The `config` of a realm. What a preset fills in may be left out, and what is given goes before it.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export const RealmConfig = Schema.Struct({
  preset: Schema.optionalKey(
    Schema.Literals(presets).annotate({ description: "Fills in what a known provider wants" })
  ),
  url: Schema.optionalKey(address),
  method: Schema.optionalKey(Schema.Literals(["GET", "POST"])),
  arguments: Schema.optionalKey(
    Schema.Array(Argument).check(Schema.isMaxLength(50, { expected: "50 entries at most" }))
  ),
  content_type: Schema.optionalKey(
    Schema.Literals(["json", "text", "form"]).annotate({
      description: "How the body is written: as JSON, as JSON under text/plain, or as a form"
    })
  ),
  token_path: Schema.optionalKey(path),
  expires_in_path: Schema.optionalKey(path),
  expires_in_unit: Schema.optionalKey(
    Schema.Literals(["seconds", "milliseconds", "unix_seconds", "unix_milliseconds", "date_time"]).annotate({
      description: "What stands at expires_in_path: what is left, or when it ends. By default seconds that are left"
    })
  ),
  expires_in: Schema.optionalKey(
    whole(1, 366 * 24 * 60 * 60, "Seconds a token lives where the answer does not say")
  ),
  errors: Schema.optionalKey(
    Schema.Array(ErrorPredicate).check(Schema.isMaxLength(10, { expected: "10 entries at most" }))
  ),
  client_authentication: Schema.optionalKey(ClientAuthentication),
  token_exchange: Schema.optionalKey(TokenExchange),
  timeout_ms: Schema.optionalKey(
    whole(100, 60_000, "For one token, from the queue to the last byte. By default 10000")
  ),
  concurrency: Schema.optionalKey(whole(1, 100, "Requests at once, per server. By default 8")),
  refresh_budget: Schema.optionalKey(
    Schema.Struct({
      limit: whole(0, 10_000, "Forced tokens of a key in a window. By default 10"),
      window_ms: whole(1000, 24 * 60 * 60 * 1000, "By default 600000")
    })
  ),
  overlap_ms: Schema.optionalKey(
    whole(0, 24 * 60 * 60 * 1000, "How long the token before is valid once there is a new one, if that ends it")
  ),
  allowed_hosts: Schema.optionalKey(
    Schema.Array(text(260, "A host name, *. in front for all below it")).check(
      Schema.isMaxLength(50, { expected: "50 entries at most" })
    ).annotate({ description: "The only hosts that addresses may name" })
  ),
  private_addresses: Schema.optionalKey(
    Schema.Array(text(260, "An IP address or a host name with its port, or a range as in 10.1.0.0/16")).check(
      Schema.isMaxLength(50, { expected: "50 entries at most" })
    ).annotate({ description: "What is not public and may be connected to all the same; metadata services never" })
  )
}).annotate({ identifier: "RealmConfig", description: "Where tokens of a realm come from" })

/**
 * A `config` of the right shape.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type RealmConfig = typeof RealmConfig.Type
