/**
 * The HTTP API of an issuer, as OpenAPI 3.1. Kept by hand, because what would make it from schemas is larger than the whole
 * of a Worker may be; tests hold it against what an issuer answers.
 *
 * @since 0.1.0
 */
import { maximumDurationSeconds } from "./TokenRequest.ts"

const problem = (description: string, codes: ReadonlyArray<string>) => ({
  description: `${description}: ${codes.join(", ")}`,
  content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } }
})

const token = {
  description: "A token, and what is left of its life",
  headers: { "Cache-Control": { schema: { const: "no-store" } } },
  content: { "application/json": { schema: { $ref: "#/components/schemas/Token" } } }
}

const responses = {
  200: token,
  400: problem("The request cannot be met", ["invalid_request", "session_not_allowed"]),
  401: problem("No caller that is known", ["unauthenticated", "invalid_token"]),
  405: problem("Another method", ["method_not_allowed"]),
  408: problem("The body did not come in time", ["request_timeout"]),
  413: problem("The body is larger than 16 KiB", ["content_too_large"]),
  415: problem("The body is not application/json", ["unsupported_media_type"]),
  500: problem("The issuer is broken", ["server_misconfigured", "internal_error"]),
  502: problem("Coze, or whoever has the keys of callers, did not do its part", [
    "upstream_refused",
    "upstream_throttled",
    "upstream_unreachable",
    "upstream_status",
    "upstream_invalid_answer",
    "caller_keys_unavailable"
  ]),
  503: problem("The issuer stops", ["shutting_down"]),
  504: problem("Coze did not answer in time", ["upstream_timeout", "upstream_stalled"])
}

const session = { type: "string", minLength: 1, maxLength: 256 }

/**
 * The document, as `GET /v1/openapi.json` answers it.
 *
 * @example
 * ```ts
 * import { OpenApi } from "@effect-identity/coze-issuer"
 *
 * Object.keys(OpenApi.document.paths) // => ["/", "/v1/tokens", "/v1/openapi.json", "/v1/health"]
 * ```
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export const document = {
  openapi: "3.1.0",
  info: { title: "Coze token issuer", version: "1", license: { name: "MIT", identifier: "MIT" } },
  security: [{ bearer: [] }],
  paths: {
    "/": {
      post: {
        operationId: "token",
        summary: "A token for the session that X-User-ID names",
        parameters: [{ name: "X-User-ID", in: "header", schema: session }],
        responses
      }
    },
    "/v1/tokens": {
      post: {
        operationId: "createToken",
        summary: "A token as the body describes it",
        requestBody: { content: { "application/json": { schema: { $ref: "#/components/schemas/TokenRequest" } } } },
        responses
      }
    },
    "/v1/openapi.json": {
      get: { operationId: "openApi", security: [], responses: { 200: { description: "This document" } } }
    },
    "/v1/health": {
      get: { operationId: "health", security: [], responses: { 200: { description: "It is configured" } } }
    }
  },
  components: {
    securitySchemes: {
      bearer: { type: "http", scheme: "bearer", description: "An API key, or a JWT whose subject is the session" }
    },
    schemas: {
      TokenRequest: {
        type: "object",
        additionalProperties: false,
        properties: {
          session: { ...session, description: "session_name; of callers with a JWT it is the subject" },
          session_context: { type: "object", description: "Passed through as it is" },
          duration_seconds: {
            type: "integer",
            minimum: 1,
            maximum: maximumDurationSeconds,
            description: "At most what the issuer is configured with, which it is by default"
          },
          scope: { type: "object", description: "Less than all of the app's rights" }
        }
      },
      Token: {
        type: "object",
        required: ["access_token", "token_type", "expires_in", "expires_at"],
        properties: {
          access_token: { type: "string" },
          token_type: { const: "Bearer" },
          expires_in: { type: "integer", description: "Seconds left, from this answer on" },
          expires_at: { type: "integer", description: "Unix time of its end, in seconds" }
        }
      },
      Problem: {
        type: "object",
        required: ["type", "title", "status", "code"],
        properties: {
          type: { const: "about:blank" },
          title: { type: "string" },
          status: { type: "integer" },
          code: { type: "string", description: "Stays the same for the same cause" },
          detail: { type: "string" },
          upstream_code: { type: "string", description: "What Coze calls it" },
          log_id: { type: "string", description: "What Coze calls the exchange (X-Tt-Logid)" }
        }
      }
    }
  }
}
