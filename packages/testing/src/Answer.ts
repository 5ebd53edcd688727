/**
 * What a {@link Platform} can be told to answer instead of its usual self.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"

/**
 * One answer. It runs when the request has been read completely, and is interrupted when the client goes away.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Answer = Effect.Effect<HttpServerResponse.HttpServerResponse>

/**
 * Exactly these bytes, under this status and content type.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const body = (content: string | Uint8Array, options: {
  readonly status?: number | undefined
  readonly contentType?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
} = {}): Answer => {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content
  const response = HttpServerResponse.uint8Array(bytes, {
    status: options.status ?? 200,
    headers: options.headers,
    contentType: options.contentType ?? "application/json"
  })
  return Effect.succeed(
    options.contentType === "" ? HttpServerResponse.removeHeader(response, "content-type") : response
  )
}

/**
 * A JSON document.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const json = (value: unknown, options: {
  readonly status?: number | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
} = {}): Answer => body(JSON.stringify(value), options)

/**
 * A token answer (RFC 6749 §5.1) that can be wrong in any field: what `fields` sets replaces the usual, `undefined`
 * removes it.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const token = (fields: Readonly<Record<string, unknown>> = {}): Answer =>
  json({
    access_token: "scripted-access-token",
    issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
    token_type: "Bearer",
    expires_in: 3600,
    ...fields
  })

/**
 * A refusal of RFC 6749 §5.2.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const refusal = (error: string, options: {
  readonly status?: number | undefined
  readonly description?: string | undefined
} = {}): Answer => json({ error, error_description: options.description }, { status: options.status ?? 400 })

/**
 * A redirect to `location`.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const redirect = (location: string | URL, status = 307): Answer =>
  Effect.succeed(HttpServerResponse.redirect(location, { status }))

/**
 * Never answers. The request ends when the client closes the connection.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const hang: Answer = Effect.never

/**
 * Sends the status, the headers and the beginning of a body, then nothing more.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const stall = (beginning: string, options: {
  readonly status?: number | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
} = {}): Answer =>
  Effect.succeed(HttpServerResponse.stream(
    Stream.concat(Stream.make(new TextEncoder().encode(beginning)), Stream.never),
    { status: options.status ?? 200, headers: options.headers, contentType: "application/json" }
  ))

/**
 * A body of `size` bytes that nobody announced, of the same letter throughout.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const flood = (size: number): Answer => {
  const chunk = new Uint8Array(64 * 1024).fill(0x61)
  return Effect.succeed(HttpServerResponse.stream(
    Stream.take(Stream.forever(Stream.make(chunk)), Math.ceil(size / chunk.length)),
    { contentType: "application/json" }
  ))
}

/**
 * `answer`, after a while.
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const delayed = (duration: Duration.Input, answer: Answer): Answer => Effect.delay(answer, duration)
