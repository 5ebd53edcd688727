/**
 * A failure of an upstream as a row keeps it: what it says, and nothing of the answer it was made from.
 */
import * as OAuthError from "@effect-identity/oauth/OAuthError"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Refused, Unusable, UpstreamFailed } from "../Failure.ts"

const Word = Schema.UndefinedOr(Schema.String)

const Status = Schema.UndefinedOr(Schema.Int)

const Kept = Schema.Union([
  Schema.TaggedStruct("Refused", { status: Schema.Int, code: Schema.optionalKey(Word), isRetryable: Schema.Boolean }),
  Schema.TaggedStruct("Unusable", { detail: Schema.Literals(["egress", "answer", "queue"]) }),
  Schema.TaggedStruct("OAuth", { status: Schema.Int, code: Schema.optionalKey(Word) }),
  Schema.TaggedStruct("Throttled", { status: Schema.Int, code: Schema.optionalKey(Word) }),
  Schema.TaggedStruct("Status", { status: Schema.Int }),
  Schema.TaggedStruct("Timeout", { detail: Schema.Literals(["connect", "headers", "body", "total"]) }),
  Schema.TaggedStruct("Tls", { detail: Schema.Literals(["untrusted", "expired", "hostname", "protocol"]) }),
  Schema.TaggedStruct("Proxy", {
    detail: Schema.Literals(["authentication", "status", "unreachable", "tls", "timeout"]),
    status: Schema.optionalKey(Status)
  }),
  Schema.TaggedStruct("Transport", {
    detail: Schema.Literals(["refused", "reset", "dns", "unreachable", "other"]),
    isPermanent: Schema.optionalKey(Schema.UndefinedOr(Schema.Boolean))
  })
])

const Text = Schema.fromJsonString(Kept)
const encode = Schema.encodeUnknownOption(Text)
const decode = Schema.decodeUnknownOption(Text)

/** What cannot be kept exactly is kept as a failed connection. */
export const write = (error: UpstreamFailed): string =>
  Option.getOrElse(encode(error.reason), () => `{"_tag":"Transport","detail":"other"}`)

const reasonOf = (kept: typeof Kept.Type): UpstreamFailed["reason"] => {
  switch (kept._tag) {
    case "Refused":
      return new Refused({ ...kept, code: kept.code })
    case "Unusable":
      return new Unusable(kept)
    case "OAuth":
      return new OAuthError.OAuth({ ...kept, code: kept.code, apiCode: undefined, description: undefined })
    case "Throttled":
      return new OAuthError.Throttled({ ...kept, code: kept.code })
    case "Status":
      return new OAuthError.Status(kept)
    case "Timeout":
      return new OAuthError.Timeout(kept)
    case "Tls":
      return new OAuthError.Tls(kept)
    case "Proxy":
      return new OAuthError.Proxy({ ...kept, status: kept.status })
    case "Transport":
      return new OAuthError.Transport(kept)
  }
}

/** The failure, as it is told to those who come while it is remembered. */
export const read = (text: string, leftMillis: number): UpstreamFailed =>
  new UpstreamFailed({
    reason: Option.match(decode(text), {
      onNone: () => new OAuthError.Transport({ detail: "other" }),
      onSome: reasonOf
    }),
    requestId: undefined,
    retryAfter: Duration.millis(Math.ceil(leftMillis))
  })
