/**
 * The one strict reader of what the outbound calls are answered with: `{ code: 0, msg, data }`.
 */
import type { Answer } from "@effect-identity/oauth/SecureRequest"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { ProjectEnvVars } from "../ProjectEnvVars.ts"
import { type Details, OutboundAuthError } from "../WorkloadIdentityError.ts"
import * as Failure from "./Failure.ts"
import type { OutboundCall } from "./OutboundCall.ts"

const codes = ["code", "error_code", "errcode"]
const messages = ["msg", "message", "error_message", "errmsg", "error_description"]

const codeOf = (body: ReadonlyMap<string, unknown>, answer: Answer): number | string | undefined => {
  const code = codes.map((name) => body.get(name)).find((value) => value !== undefined && value !== null)
  return typeof code === "number" ? code : answer.word(code)
}

const messageOf = (body: ReadonlyMap<string, unknown>, answer: Answer): string | undefined =>
  messages.map((name) => answer.sentence(body.get(name))).find((sentence) => sentence !== undefined)

type Found = Pick<Details, "apiCode">

const known = (code: number | string | undefined): Found => code === undefined ? {} : { apiCode: code }

/** What the answer says instead of an answer, or its `data`. */
const dataOf = (
  call: OutboundCall,
  answer: Answer
): Result.Result<ReadonlyMap<string, unknown>, OutboundAuthError> => {
  const { json, status } = answer
  const fail = (message: string, details: Found & Pick<Details, "reason"> & { readonly detail?: string }) =>
    Result.fail(
      new OutboundAuthError(message, {
        step: call.step,
        retryable: status === 429 || (status >= 500 && status !== 501),
        httpStatus: status,
        ...Failure.told(answer),
        ...details
      })
    )
  const body = Result.isSuccess(json) ? json.success : undefined

  if (status !== 200) {
    const kind = status >= 400 && status < 500 ? "Client" : "Server"
    const said = body === undefined ? undefined : messageOf(body, answer)
    const message = `${kind} error (${status}): ${call.what} request failed with status ${status}`
    return fail(said === undefined ? message : `${message}: ${said}`, {
      reason: status === 429 ? "Throttled" : "Status",
      ...known(body === undefined ? undefined : codeOf(body, answer))
    })
  }
  if (Result.isFailure(json)) {
    return fail("Invalid response format: expected JSON object", { reason: "InvalidResponse", detail: json.failure })
  }
  if (json.success.get("code") !== 0) {
    const code = codeOf(json.success, answer)
    return fail(`${call.what} API error: code=${code}, msg=${messageOf(json.success, answer) ?? "Unknown error"}`, {
      reason: "InvalidResponse",
      detail: "code",
      ...known(code)
    })
  }
  const data = json.success.get("data")
  return Predicate.isObject(data) && !Array.isArray(data)
    ? Result.succeed(new Map(Object.entries(data)))
    : fail("Invalid response format: missing or invalid 'data' field", { reason: "InvalidResponse", detail: "data" })
}

const invalid = (call: OutboundCall, answer: Answer, detail: string, message: string) =>
  Result.fail(
    new OutboundAuthError(`Invalid response format: ${message}`, {
      step: call.step,
      reason: "InvalidResponse",
      detail,
      retryable: false,
      httpStatus: answer.status,
      ...Failure.told(answer)
    })
  )

export const readCredential = (
  call: OutboundCall,
  answer: Answer
): Result.Result<Redacted.Redacted, OutboundAuthError> =>
  Result.flatMap(dataOf(call, answer), (data) => {
    const credential = data.get("credential")
    if (credential === undefined) return invalid(call, answer, "credential", "missing 'credential' field in data")
    if (typeof credential !== "string") return invalid(call, answer, "credential", "credential must be a string")
    if (credential === "") return invalid(call, answer, "credential", "credential must not be empty")
    return Result.succeed(Redacted.make(credential, { label: "credential" }))
  })

export const readVariables = (
  call: OutboundCall,
  answer: Answer
): Result.Result<ProjectEnvVars<Redacted.Redacted>, OutboundAuthError> =>
  Result.flatMap(dataOf(call, answer), (data) => {
    const secrets = data.get("secrets")
    if (!Array.isArray(secrets)) {
      return invalid(call, answer, "secrets", "missing or invalid 'secrets' field in data")
    }
    const variables: Array<{ readonly key: string; readonly value: Redacted.Redacted }> = []
    for (const [index, entry] of secrets.entries()) {
      if (!Predicate.isObject(entry) || Array.isArray(entry)) {
        return invalid(call, answer, "secrets", `secrets[${index}] must be an object`)
      }
      const { key, value } = Object.fromEntries(Object.entries(entry))
      if (key === undefined || value === undefined) {
        return invalid(call, answer, "secrets", `secrets[${index}] must contain 'key' and 'value' keys`)
      }
      if (typeof key !== "string" || typeof value !== "string") {
        return invalid(call, answer, "secrets", `secrets[${index}] key and value must be strings`)
      }
      variables.push({ key, value: Redacted.make(value, { label: key }) })
    }
    return Result.succeed(new ProjectEnvVars(variables))
  })
