/**
 * Translates what the grants fail with into what a workload's user is told, field by field.
 */
import type { OAuthError, Reason } from "@effect-identity/oauth/OAuthError"
import { type Details, TokenExchangeError, TokenRetrievalError } from "../WorkloadIdentityError.ts"

type Found = Pick<Details, "detail" | "httpStatus" | "oauthCode" | "apiCode">

const found = (reason: Reason): Found => {
  switch (reason._tag) {
    case "Transport":
    case "Timeout":
    case "Tls":
      return { detail: reason.detail }
    case "Status":
      return { httpStatus: reason.status }
    case "InvalidResponse":
      return { detail: reason.detail, ...(reason.status === undefined ? {} : { httpStatus: reason.status }) }
    case "OAuth":
      return {
        httpStatus: reason.status,
        ...(reason.code === undefined ? {} : { oauthCode: reason.code }),
        ...(reason.apiCode === undefined ? {} : { apiCode: reason.apiCode })
      }
  }
}

const details = (error: OAuthError): Omit<Details, "step"> => ({
  reason: error.reason._tag,
  retryable: error.isRetryable,
  ...found(error.reason),
  ...(error.requestId === undefined ? {} : { logId: error.requestId })
})

const sentence = (action: string, { message, _tag }: Reason): string =>
  _tag === "OAuth" ? `Token request failed: ${message}` : `Failed to ${action} token: ${message}`

export const fromOAuthError = (error: OAuthError): TokenRetrievalError | TokenExchangeError =>
  error.operation === "clientCredentials"
    ? new TokenRetrievalError(sentence("retrieve", error.reason), { step: "idToken", ...details(error) })
    : new TokenExchangeError(sentence("exchange", error.reason), { step: "accessToken", ...details(error) })
