/**
 * Reads what an API answers: data, or what it says instead, in the dialects APIs speak.
 */
import { InvalidResponse } from "@effect-identity/oauth/OAuthError"
import type { Answer } from "@effect-identity/oauth/SecureRequest"
import * as Duration from "effect/Duration"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import { ApiError, type Detail, type Reason, Status, Throttled } from "../ApiError.ts"
import * as RateLimit from "../RateLimit.ts"

type Members = ReadonlyMap<string, unknown>

const nothing: Members = new Map()

const codes = ["code", "errcode", "error_code"]
const messages = [
  "message",
  "msg",
  "error_description",
  "detail",
  "title",
  "errmsg",
  "error_message",
  "description",
  "reason",
  "issue"
]
const fields = ["field", "path", "pointer", "name", "parameter", "property"]

/** Assumed when an API throttles without saying for how long. */
const throttledFor = Duration.seconds(5)

const maximumDetails = 20

const membersOf = (value: unknown): Members =>
  Predicate.isObject(value) && !Array.isArray(value) ? new Map(Object.entries(value)) : nothing

const listOf = (value: unknown): ReadonlyArray<unknown> => Array.isArray(value) ? value.slice(0, maximumDetails) : []

const first = <A>(
  sources: ReadonlyArray<Members>,
  names: ReadonlyArray<string>,
  read: (value: unknown) => A | undefined
): A | undefined => {
  for (const source of sources) {
    for (const name of names) {
      const found = read(source.get(name))
      if (found !== undefined) return found
    }
  }
  return undefined
}

const codeReader = (answer: Answer) => (value: unknown): string | number | undefined =>
  typeof value === "number" ? value : answer.word(value)

const detailOf = (answer: Answer) => (item: unknown): Detail => {
  const members = [membersOf(item)]
  return {
    field: first(members, fields, (value) => answer.word(value)),
    code: first(members, codes, codeReader(answer)),
    message: answer.text(item) ?? first(members, messages, (value) => answer.text(value))
  }
}

/** The `error` of a challenge (RFC 6750 §3). */
const challenge = ({ headers }: Answer): string | undefined =>
  /\berror="?([\w.-]+)/.exec(headers["www-authenticate"] ?? "")?.[1]

const told = (answer: Answer) => {
  const body = Result.getOrElse(answer.json, () => nothing)
  const error = body.get("error")
  const nested = membersOf(error)
  const list = listOf(body.get("errors"))
  const sources = [nested, body, membersOf(list[0])]
  const details = [nested.get("details"), body.get("details"), nested.get("errors")].map(listOf)
    .find(({ length }) => length > 0) ?? list
  return {
    code: first([nested], codes, codeReader(answer)) ?? answer.word(error)
      ?? first(sources, codes, codeReader(answer)) ?? answer.word(challenge(answer)),
    description: first(sources, messages, (value) => answer.text(value)),
    details: details.map(detailOf(answer)),
    requestId: first([body, nested], ["request_id", "requestId"], (value) => answer.word(value)) ?? answer.requestId
  }
}

const reasonOf = (
  { status }: Answer,
  { code, description, details }: Omit<ReturnType<typeof told>, "requestId">
): Reason =>
  status === 429
    ? new Throttled({ status, code, description, isSent: true })
    : new Status({ status, code, description, details })

/** What an answer that is no success says, in place of data. */
export const failureOf = (method: string, answer: Answer): ApiError | undefined => {
  if (answer.status >= 200 && answer.status < 300) return undefined
  const { requestId, ...rest } = told(answer)
  return new ApiError({
    method,
    reason: reasonOf(answer, rest),
    requestId,
    rateLimit: RateLimit.fromHeaders(answer.headers),
    retryAfter: answer.retryAfter ?? (answer.status === 429 ? throttledFor : undefined)
  })
}

/** An error with what is known of the answer it is about. */
export const failure = (method: string, answer: Answer, reason: Reason): ApiError =>
  new ApiError({
    method,
    reason,
    requestId: answer.requestId,
    rateLimit: RateLimit.fromHeaders(answer.headers)
  })

const isJson = (contentType: string | undefined): boolean =>
  contentType !== undefined && /^\s*(?:application|text)\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(contentType)

const parse = (bytes: Uint8Array): Result.Result<unknown, "encoding" | "json"> =>
  Result.flatMap(
    Result.try({
      try: () => new TextDecoder("utf-8", { fatal: true }).decode(bytes),
      catch: () => "encoding" as const
    }),
    // The parser's own error quotes the text it refused.
    (text) => Result.try({ try: (): unknown => JSON.parse(text), catch: () => "json" as const })
  )

/** The JSON value of a success; `undefined` where there is none and need not be. */
export const dataOf = (method: string, answer: Answer): Result.Result<unknown, ApiError> => {
  const { bytes, contentType, status } = answer
  if (bytes.length === 0) return Result.succeed(undefined)
  return Result.mapError(parse(bytes), (flaw) =>
    failure(
      method,
      answer,
      new InvalidResponse({ status, detail: flaw === "json" && !isJson(contentType) ? "contentType" : flaw })
    ))
}
