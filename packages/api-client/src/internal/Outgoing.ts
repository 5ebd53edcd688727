/**
 * Makes a request of what a caller gives, or says what rule that breaks.
 */
import type { SecureUrl } from "@effect-identity/oauth/SecureUrl"
import * as Setting from "@effect-identity/oauth/Setting"
import type * as Duration from "effect/Duration"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpMethod } from "effect/http/HttpMethod"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { RequestOptions } from "../ApiCall.ts"
import { InvalidRequest } from "../ApiError.ts"
import * as ApiPath from "./ApiPath.ts"

type Checked<A> = Result.Result<A, InvalidRequest>

const refuse = (field: InvalidRequest["field"], rule: string): Checked<never> =>
  Result.fail(new InvalidRequest({ field, rule }))

/** What this client or the transport sets, and nobody else may. */
const reserved = new Set([
  "authorization",
  "connection",
  "content-length",
  "host",
  "keep-alive",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade"
])

const checkHeaders = (headers: Readonly<Record<string, string>>): Checked<void> => {
  for (const [name, value] of Object.entries(headers)) {
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) return refuse("headers", "must have names of RFC 9110 §5.1")
    if (reserved.has(name.toLowerCase())) return refuse("headers", `must not contain ${name.toLowerCase()}`)
    // Transports quote a header they refuse, or die of it.
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
      return refuse("headers", "must have values without control characters or letters beyond Latin-1")
    }
  }
  return Result.void
}

const idempotencyKey = "idempotency-key"

const checkKey = (key: string | undefined): Checked<Readonly<Record<string, string>>> =>
  key === undefined
    ? Result.succeed({})
    : /^[\x21-\x7e]{1,255}$/.test(key)
    ? Result.succeed({ [idempotencyKey]: key })
    : refuse("idempotencyKey", "must be from 1 to 255 printable ASCII characters without blanks")

const bodyOf = ({ body, json }: RequestOptions): Checked<HttpBody.HttpBody> => {
  if (json === undefined) return Result.succeed(body ?? HttpBody.empty)
  if (body !== undefined) return refuse("body", "must be given once, as body or as json")
  const text = Result.try((): unknown => JSON.stringify(json))
  // Of functions and symbols it makes nothing.
  return Result.isSuccess(text) && typeof text.success === "string"
    ? Result.succeed(HttpBody.text(text.success, "application/json"))
    : refuse("body", "must be something JSON can carry")
}

/** How long a call may take. */
export const bound = (timeout: Duration.Input): Checked<Duration.Duration> =>
  Result.mapError(Setting.timeout("timeout", timeout), ({ rule }) => new InvalidRequest({ field: "timeout", rule }))

/** A request somebody made, with its path below the base URL. */
export const fromRequest = (
  base: SecureUrl,
  request: HttpClientRequest.HttpClientRequest
): Checked<HttpClientRequest.HttpClientRequest> => {
  if (!/^(?:DELETE|GET|HEAD|OPTIONS|PATCH|POST|PUT|QUERY)$/.test(request.method)) {
    return refuse("method", "must be DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT or QUERY")
  }
  if (Option.isSome(request.hash)) return refuse("path", "must not contain a fragment")
  if (request.body._tag !== "Empty" && (request.method === "GET" || request.method === "HEAD")) {
    return refuse("body", `must be absent from ${request.method}`)
  }
  const own = Object.fromEntries(
    Object.entries(request.headers).filter(([name]) => name !== "content-length" || request.body._tag === "Empty")
  )
  return Result.flatMap(
    checkHeaders(own),
    () => Result.map(ApiPath.resolve(base, request.url), (href) => HttpClientRequest.setUrl(request, href))
  )
}

export const make = (
  base: SecureUrl,
  method: HttpMethod,
  path: string,
  options: RequestOptions
): Checked<HttpClientRequest.HttpClientRequest> =>
  Result.flatMap(
    checkKey(options.idempotencyKey),
    (keyed) =>
      Result.flatMap(bodyOf(options), (body) =>
        Result.flatMap(checkHeaders(options.headers ?? {}), () =>
          fromRequest(
            base,
            HttpClientRequest.make(method)("", { urlParams: options.urlParams, body }).pipe(
              // After the body, whose content type may be another one then.
              HttpClientRequest.setHeaders({ ...options.headers, ...keyed }),
              (request) => HttpClientRequest.modify(request, { url: path })
            )
          )))
  )

/** RFC 9110 §9.2.1. */
const isSafe = (method: string): boolean => /^(?:GET|HEAD|OPTIONS|QUERY)$/.test(method)

/** Whether doing it twice is the same as doing it once. */
export const isRepeatable = ({ headers, method }: HttpClientRequest.HttpClientRequest): boolean =>
  isSafe(method) || headers[idempotencyKey] !== undefined
