/**
 * The one strict reader of what a token endpoint answers: a token (RFC 6749 §5.1, RFC 8693 §2.2.1), a refusal
 * (RFC 6749 §5.2, or the `{code, msg}` dialect), or neither. Pure and total.
 */
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { InvalidResponse, OAuth, type Reason, Status, Throttled } from "../OAuthError.ts"
import { Answer } from "../SecureRequest.ts"
import * as ExpiresIn from "./ExpiresIn.ts"

export interface Expectation {
  readonly strictness: "strict" | "lenient"
  readonly expiresIn: "lifetime" | "unixTime"
  readonly issuedTokenType: string | undefined
}

export interface Token {
  readonly value: Redacted.Redacted
  readonly scope: string | undefined
  /** Absent when the server did not say. Whole, unless it told the end instead. */
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

const apiCode = (value: unknown, answer: Answer): number | string | undefined =>
  typeof value === "number" ? value : answer.word(value)

/** The answer, as one that also keeps the token in its body to itself. */
const withSecret = (answer: Answer, token: unknown): Answer =>
  typeof token === "string" ? new Answer({ ...answer, secrets: [...answer.secrets, Redacted.make(token)] }) : answer

const refusal = (body: ReadonlyMap<string, unknown>, told: Answer): OAuth | undefined => {
  const answer = withSecret(told, body.get("access_token"))
  const { status } = answer
  const error = body.get("error")
  const vendor = vendorDialects.find((dialect) => !isNothing(body.get(dialect.code)))
  if (error === undefined || error === null) {
    return vendor === undefined ? undefined : new OAuth({
      status,
      code: undefined,
      apiCode: apiCode(body.get(vendor.code), answer),
      description: answer.sentence(body.get(vendor.message))
    })
  }
  return new OAuth({
    status,
    code: answer.word(error),
    apiCode: vendor === undefined ? undefined : apiCode(body.get(vendor.code), answer),
    description: answer.sentence(body.get("error_description"))
      ?? (vendor === undefined ? undefined : answer.sentence(body.get(vendor.message)))
  })
}

const isJson = (contentType: string | undefined): boolean =>
  contentType !== undefined && /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(contentType.trim())

const isBearer = (value: unknown): boolean => typeof value === "string" && value.toLowerCase() === "bearer"

const flawOfTypes = (
  body: ReadonlyMap<string, unknown>,
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
  body: ReadonlyMap<string, unknown>,
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
    : ExpiresIn.readers[expected.expiresIn](expiresIn, answer.requestedAt.wall)
  if (Result.isFailure(lifetime)) return flawed(lifetime.failure)

  const scope = body.get("scope")
  return Result.succeed({
    value: Redacted.make(value, { label: "access_token" }),
    scope: typeof scope === "string" && scope !== "" ? scope : undefined,
    lifetimeSeconds: lifetime.success
  })
}

export const read = (answer: Answer, expected: Expectation): Result.Result<Token, Reason> => {
  const { json, status } = answer
  if (answer.isRedirect) return Result.fail(new Status({ status }))
  const refused = Result.isSuccess(json) ? refusal(json.success, answer) : undefined
  if (status === 429) return Result.fail(new Throttled({ status, code: refused?.code }))
  if (refused !== undefined) return Result.fail(refused)
  const flawed = (detail: InvalidResponse["detail"]) => Result.fail(new InvalidResponse({ status, detail }))
  if (status === 204 || status === 205) return flawed("empty")
  if (status !== 200) return Result.fail(new Status({ status }))
  const isForeign = expected.strictness === "strict" && !isJson(answer.contentType)
  if (Result.isFailure(json)) return flawed(json.failure === "json" && isForeign ? "contentType" : json.failure)
  return isForeign ? flawed("contentType") : readToken(json.success, answer, expected)
}
