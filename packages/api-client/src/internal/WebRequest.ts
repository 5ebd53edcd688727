/**
 * Between what `fetch` takes and gives, and what a client takes and gives.
 */
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import type { HttpMethod } from "effect/http/HttpMethod"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { ApiError, InvalidRequest } from "../ApiError.ts"

const methods = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"] as const

const refuse = (method: string, field: InvalidRequest["field"], rule: string): ApiError =>
  new ApiError({ method, reason: new InvalidRequest({ field, rule }), requestId: undefined, rateLimit: undefined })

export const methodOf = (input: string): HttpMethod => {
  const method = methods.find((name) => name === String(input).toUpperCase())
  if (method === undefined) throw refuse("?", "method", `must be one of ${methods.join(", ")}`)
  return method
}

/** The runtime's own error quotes the header it refuses. */
const headersOf = (method: string, init: RequestInit["headers"]): Headers => {
  try {
    return new Headers(init)
  } catch {
    throw refuse(method, "headers", "must have names and values that HTTP can carry")
  }
}

const bodyOf = async (body: RequestInit["body"], contentType: string | null): Promise<HttpBody.HttpBody> => {
  if (body === undefined || body === null) return HttpBody.empty
  if (body instanceof ReadableStream) {
    const stream = Stream.fromReadableStream({ evaluate: () => body, onError: () => "the stream failed" as const })
    return HttpBody.stream(stream, contentType ?? undefined)
  }
  // The runtime knows how to spell a form, and where one part of it ends.
  const spelt = new Response(body)
  return HttpBody.uint8Array(
    new Uint8Array(await spelt.arrayBuffer()),
    contentType ?? spelt.headers.get("content-type") ?? undefined
  )
}

/** Throws `ApiError`. */
export const make = async (path: string, init: RequestInit): Promise<HttpClientRequest.HttpClientRequest> => {
  const method = methodOf(init.method ?? "GET")
  if (typeof path !== "string") throw refuse(method, "path", "must be a string")
  const headers = headersOf(method, init.headers)
  const body = await bodyOf(init.body, headers.get("content-type"))
  return HttpClientRequest.make(method)("", { headers, body }).pipe(HttpClientRequest.setUrl(path))
}

/** The response, whose body ends when the signal says so, as that of `fetch` does. */
export const toResponse = (
  response: HttpClientResponse.HttpClientResponse,
  signal: AbortSignal | null | undefined
): Response => {
  // What fetch gave has one.
  const web = Option.getOrThrow(HttpClientResponse.toWeb(response))
  return signal === undefined || signal === null || web.body === null
    ? web
    : new Response(web.body.pipeThrough(new TransformStream(), { signal }), web)
}
