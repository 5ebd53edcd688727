/**
 * The one strict reader of what a token endpoint answers: a token (RFC 6749 §5.1, RFC 8693 §2.2.1), a refusal
 * (RFC 6749 §5.2, or the `{code, msg}` dialect), or neither. Pure and total.
 */
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { InvalidResponse, OAuth, type Reason, Status } from "../OAuthError.ts"
import * as ExpiresIn from "./ExpiresIn.ts"
import * as JsonObject from "./JsonObject.ts"
import * as Secrecy from "./Secrecy.ts"

export interface Answer {
  readonly status: number
  readonly contentType: string | undefined
  readonly body: Uint8Array
  readonly requestedAtMillis: number
}

export interface Expectation {
  readonly strictness: "strict" | "lenient"
  readonly issuedTokenType: string | undefined
  /** What must not be repeated from a refusal. */
  readonly secrets: ReadonlyArray<string>
}

export interface Token {
  readonly value: Redacted.Redacted
  readonly scope: string | undefined
  /** Absent when the server did not say. */
  readonly lifetimeSeconds: number | undefined
}

const maximumTokenLength = 32 * 1024

const isNothing = (value: unknown): boolean =>
  value === undefined || value === null || value === "" || value === 0 || value === "0"

const vendorDialects = [
  { code: "code", message: "msg" },
  { code: "errcode", message: "errmsg" },
  { code: "error_code", message: "error_message" }
] as const

const apiCode = (value: unknown, secrets: ReadonlyArray<string>): number | string | undefined =>
  typeof value === "number" ? value : Secrecy.word(value, secrets)

const refusal = (body: JsonObject.JsonObject, status: number, known: ReadonlyArray<string>): OAuth | undefined => {
  const token = body.get("access_token")
  const secrets = typeof token === "string" ? [...known, token] : known
  const error = body.get("error")
  const vendor = vendorDialects.find((dialect) => !isNothing(body.get(dialect.code)))
  if (error === undefined || error === null) {
    return vendor === undefined ? undefined : new OAuth({
      status,
      code: undefined,
      apiCode: apiCode(body.get(vendor.code), secrets),
      description: Secrecy.sentence(body.get(vendor.message), secrets)
    })
  }
  return new OAuth({
    status,
    code: Secrecy.word(error, secrets),
    apiCode: vendor === undefined ? undefined : apiCode(body.get(vendor.code), secrets),
    description: Secrecy.sentence(body.get("error_description"), secrets)
      ?? (vendor === undefined ? undefined : Secrecy.sentence(body.get(vendor.message), secrets))
  })
}

const isJson = (contentType: string | undefined): boolean =>
  contentType !== undefined && /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(contentType.trim())

const isBearer = (value: unknown): boolean => typeof value === "string" && value.toLowerCase() === "bearer"

const flawOfTypes = (
  body: JsonObject.JsonObject,
  expected: Expectation
): "tokenType" | "issuedTokenType" | undefined => {
  const isLenient = expected.strictness === "lenient"
  const tokenType = body.get("token_type") ?? undefined
  if (!(isBearer(tokenType) || (isLenient && tokenType === undefined))) return "tokenType"
  const issued = body.get("issued_token_type") ?? undefined
  if (expected.issuedTokenType === undefined || issued === expected.issuedTokenType) return undefined
  return isLenient && issued === undefined ? undefined : "issuedTokenType"
}

const readToken = (
  body: JsonObject.JsonObject,
  answer: Answer,
  expected: Expectation
): Result.Result<Token, InvalidResponse> => {
  const flawed = (detail: InvalidResponse["detail"]) =>
    Result.fail(new InvalidResponse({ status: answer.status, detail }))

  const value = body.get("access_token")
  // Visible ASCII: the access-token of RFC 6749 appendix A.12 without the blank, which no header could carry.
  if (typeof value !== "string" || !/^[\x21-\x7e]+$/.test(value)) return flawed("token")
  if (value.length > maximumTokenLength) return flawed("tooLarge")
  const flaw = flawOfTypes(body, expected)
  if (flaw !== undefined) return flawed(flaw)

  const expiresIn = body.get("expires_in") ?? undefined
  const lifetime = expiresIn === undefined
    ? Result.succeed(undefined)
    : ExpiresIn.parse(expiresIn, answer.requestedAtMillis)
  if (Result.isFailure(lifetime)) return flawed(lifetime.failure)

  const scope = body.get("scope")
  return Result.succeed({
    value: Redacted.make(value, { label: "access_token" }),
    scope: typeof scope === "string" && scope !== "" ? scope : undefined,
    lifetimeSeconds: lifetime.success
  })
}

/** Status 0 is how a browser's fetch shows a redirect it was told not to follow. */
export const isRedirect = (status: number): boolean => status === 0 || (status >= 300 && status < 400)

export const read = (answer: Answer, expected: Expectation): Result.Result<Token, Reason> => {
  const { status } = answer
  if (isRedirect(status)) return Result.fail(new Status({ status }))
  const body = JsonObject.parse(answer.body)
  const refused = Result.isSuccess(body) ? refusal(body.success, status, expected.secrets) : undefined
  if (refused !== undefined) return Result.fail(refused)
  const flawed = (detail: InvalidResponse["detail"]) => Result.fail(new InvalidResponse({ status, detail }))
  if (status === 204 || status === 205) return flawed("empty")
  if (status !== 200) return Result.fail(new Status({ status }))
  if (Result.isFailure(body)) {
    const isDocument = body.failure === "json" && !isJson(answer.contentType) && expected.strictness === "strict"
    return flawed(isDocument ? "contentType" : body.failure)
  }
  if (expected.strictness === "strict" && !isJson(answer.contentType)) return flawed("contentType")
  return readToken(body.success, answer, expected)
}
