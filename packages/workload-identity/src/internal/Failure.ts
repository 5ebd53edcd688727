/**
 * Translates what the grants fail with into what a workload's user is told, field by field.
 */
import type { OAuthError, Reason } from "@effect-identity/oauth/OAuthError"
import type { RequestFailed } from "@effect-identity/oauth/SecureRequest"
import * as Duration from "effect/Duration"
import {
  type Details,
  OutboundAuthError,
  TokenExchangeError,
  TokenRetrievalError,
  WorkloadIdentityError
} from "../WorkloadIdentityError.ts"
import type { OutboundCall } from "./OutboundCall.ts"

type Found = Pick<Details, "detail" | "httpStatus" | "oauthCode" | "apiCode">

const found = (reason: Reason): Found => {
  switch (reason._tag) {
    case "Transport":
    case "Timeout":
    case "Tls":
      return { detail: reason.detail }
    case "Proxy":
      return { detail: reason.detail, ...(reason.status === undefined ? {} : { httpStatus: reason.status }) }
    case "Status":
      return { httpStatus: reason.status }
    case "Throttled":
      return { httpStatus: reason.status, ...(reason.code === undefined ? {} : { oauthCode: reason.code }) }
    case "InvalidResponse":
      return { detail: reason.detail, ...(reason.status === undefined ? {} : { httpStatus: reason.status }) }
    case "OAuth":
      return {
        httpStatus: reason.status,
        ...(reason.code === undefined ? {} : { oauthCode: reason.code }),
        ...(reason.apiCode === undefined ? {} : { apiCode: reason.apiCode })
      }
    case "Unexpected":
      return { detail: reason.defect }
    case "Closed":
      return {}
  }
}

interface Told {
  readonly requestId?: string | undefined
  readonly retryAfter?: Duration.Duration | undefined
}

/** What the server says of the exchange, beside its answer. */
export const told = ({ requestId, retryAfter }: Told): Pick<Details, "logId" | "retryAfterMs"> => ({
  ...(requestId === undefined ? {} : { logId: requestId }),
  ...(retryAfter === undefined ? {} : { retryAfterMs: Duration.toMillis(retryAfter) })
})

const details = (reason: Reason, retryable: boolean, answer: Told): Omit<Details, "step"> => ({
  reason: reason._tag,
  retryable,
  ...found(reason),
  ...told(answer)
})

const sentence = (action: string, { message, _tag }: Reason): string =>
  _tag === "OAuth" ? `Token request failed: ${message}` : `Failed to ${action} token: ${message}`

export const fromOAuthError = (error: OAuthError): TokenRetrievalError | TokenExchangeError => {
  const { isRetryable, operation, reason } = error
  const known = details(reason, isRetryable, error)
  return operation === "tokenExchange"
    ? new TokenExchangeError(sentence("exchange", reason), { step: "accessToken", ...known })
    : new TokenRetrievalError(sentence("retrieve", reason), { step: "idToken", ...known })
}

/** A request to a third party failed. */
export const fromReason = (reason: Reason, retryable: boolean): WorkloadIdentityError =>
  new WorkloadIdentityError(`Request failed: ${reason.message}`, {
    step: "http",
    ...details(reason, retryable, {})
  })

/** Nothing was answered, so that only the connection can be at fault: another attempt may find it in better shape. */
export const fromRequestFailed = (
  { step, what }: OutboundCall,
  { reason, requestId }: RequestFailed
): OutboundAuthError =>
  new OutboundAuthError(`Failed to retrieve ${what.toLowerCase()}: ${reason.message}`, {
    step,
    ...details(reason, reason._tag === "Transport" || reason._tag === "Timeout", { requestId })
  })

/** What an error knows, without its message. */
export const detailsOf = (error: WorkloadIdentityError): Details => ({
  step: error.step,
  reason: error.reason,
  retryable: error.retryable,
  ...(error.detail !== undefined && { detail: error.detail }),
  ...(error.httpStatus !== undefined && { httpStatus: error.httpStatus }),
  ...(error.oauthCode !== undefined && { oauthCode: error.oauthCode }),
  ...(error.apiCode !== undefined && { apiCode: error.apiCode }),
  ...(error.logId !== undefined && { logId: error.logId }),
  ...(error.retryAfterMs !== undefined && { retryAfterMs: error.retryAfterMs })
})
