/**
 * What an upstream answered: a token and its life, or why there is none.
 */
import { InvalidResponse, type Reason, Status, Throttled } from "@effect-identity/oauth/OAuthError"
import type { Answer } from "@effect-identity/oauth/SecureRequest"
import * as Duration from "effect/Duration"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { ErrorPredicate, Life, Request } from "../../Realm.ts"
import { Refused, Unusable } from "../Failure.ts"
import * as Path from "../realm/Path.ts"
import type { Obtained } from "./Upstream.ts"

type Members = ReadonlyMap<string, unknown>

const maximumTokenLength = 32 * 1024

const longestLife = 366 * 24 * 60 * 60 * 1000

/** Where most say that they refuse. Believed only where there is no token. */
const usualErrors: ReadonlyArray<ErrorPredicate> = ["error", "errcode", "error_code", "code"].map((name) => ({
  path: [name],
  success: ["0", ""],
  retryable: ["temporarily_unavailable", "internal_error"]
}))

const isTransientStatus = (status: number): boolean => status >= 500 && status !== 501

/** A predicate that holds, with what the upstream calls the failure. */
const refusalIn = (body: Members, predicates: ReadonlyArray<ErrorPredicate>, answer: Answer): Refused | undefined => {
  for (const { path, retryable, success } of predicates) {
    const told = Path.read(body, path) ?? undefined
    if (told === undefined || told === false || success.includes(String(told))) continue
    const code = String(told)
    return new Refused({
      status: answer.status,
      code: answer.word(code),
      isRetryable: retryable.includes(code) || isTransientStatus(answer.status)
    })
  }
  return undefined
}

const numberOf = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value)
    ? value
    : typeof value === "string" && /^\d{1,15}$/.test(value)
    ? Number(value)
    : undefined

const dateTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/

/** Milliseconds of life that a value tells, counted from the moment of the request. */
const readers: { readonly [unit in Life["unit"]]: (value: unknown, requestedAt: number) => number | undefined } = {
  seconds: (value) => scaled(numberOf(value), 1000, 0),
  milliseconds: (value) => scaled(numberOf(value), 1, 0),
  unix_seconds: (value, requestedAt) => scaled(numberOf(value), 1000, requestedAt),
  unix_milliseconds: (value, requestedAt) => scaled(numberOf(value), 1, requestedAt),
  date_time: (value, requestedAt) =>
    typeof value === "string" && dateTime.test(value) ? scaled(Date.parse(value), 1, requestedAt) : undefined
}

const scaled = (number: number | undefined, factor: number, from: number): number | undefined =>
  number === undefined || Number.isNaN(number) ? undefined : Math.floor(number * factor - from)

const readLife = (body: Members, life: Life, answer: Answer): Result.Result<Duration.Duration, Reason | Unusable> => {
  const told = life.path === undefined ? undefined : Path.read(body, life.path) ?? undefined
  if (told === undefined) {
    return life.standard === undefined
      ? Result.fail(new Unusable({ detail: "answer" }))
      : Result.succeed(life.standard)
  }
  const { status } = answer
  const millis = readers[life.unit](told, answer.requestedAt.wall)
  if (millis === undefined) return Result.fail(new InvalidResponse({ status, detail: "lifetime" }))
  return millis <= 0
    ? Result.fail(new InvalidResponse({ status, detail: "expired" }))
    : Result.succeed(Duration.millis(Math.min(millis, longestLife)))
}

const readToken = (
  body: Members,
  { life, tokenPath }: Pick<Request, "life" | "tokenPath">,
  answer: Answer
): Result.Result<Obtained, Reason | Refused | Unusable> => {
  const value = Path.read(body, tokenPath)
  if (typeof value !== "string" || !/^[\x21-\x7e]+$/.test(value)) {
    return Result.fail(refusalIn(body, usualErrors, answer) ?? new Unusable({ detail: "answer" }))
  }
  if (value.length > maximumTokenLength) {
    return Result.fail(new InvalidResponse({ status: answer.status, detail: "tooLarge" }))
  }
  return Result.map(readLife(body, life, answer), (lifetime) => ({
    value: Redacted.make(value, { label: "token" }),
    requestedAt: answer.requestedAt,
    lifetime
  }))
}

/** Reads an answer. Nothing inherited is ever looked at, and nothing quoted but the words of an error code. */
export const read = (
  answer: Answer,
  source: Pick<Request, "errors" | "life" | "tokenPath">
): Result.Result<Obtained, Reason | Refused | Unusable> => {
  const { json, status } = answer
  if (answer.isRedirect) return Result.fail(new Status({ status }))
  const body: Members = Result.getOrElse(json, () => new Map<string, unknown>())
  const isGood = status >= 200 && status < 300
  const told = refusalIn(body, source.errors ?? [], answer)
  const refused = told ?? (isGood ? undefined : refusalIn(body, usualErrors, answer))
  if (status === 429) return Result.fail(new Throttled({ status, code: refused?.code }))
  if (refused !== undefined) return Result.fail(refused)
  if (!isGood) return Result.fail(new Status({ status }))
  return Result.isFailure(json)
    ? Result.fail(new InvalidResponse({ status, detail: json.failure }))
    : readToken(body, source, answer)
}
