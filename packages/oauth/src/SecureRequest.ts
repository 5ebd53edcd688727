/**
 * The one way in which a request that carries a credential is sent, and its JSON answer read.
 *
 * It has one deadline, follows no redirect, reads a bounded body and starts no trace on the other side. What it fails
 * with holds nothing of the request or the answer; what the server said is given out through {@link Answer}, which keeps
 * the secrets of the request out of it.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { constTrue } from "effect/Function"
import * as Headers from "effect/http/Headers"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import type * as Result from "effect/Result"
import * as Instant from "./Instant.ts"
import * as FetchRedirects from "./internal/FetchRedirects.ts"
import * as JsonObject from "./internal/JsonObject.ts"
import * as ResponseBody from "./internal/ResponseBody.ts"
import * as RetryAfter from "./internal/RetryAfter.ts"
import * as Secrecy from "./internal/Secrecy.ts"
import * as TransportFailure from "./internal/TransportFailure.ts"
import { type Flaw, type Reason, Timeout } from "./OAuthError.ts"

/**
 * What came back.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export class Answer extends Data.Class<{
  readonly status: number
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** What the server calls this exchange: `X-Tt-Logid`, `X-Request-Id`, or `X-Amzn-Requestid`. */
  readonly requestId: string | undefined
  /**
   * How long the server asks to wait (`Retry-After`, or `X-RateLimit-Reset` where a limit was met), an hour at most.
   */
  readonly retryAfter: Duration.Duration | undefined
  /** The moment the request was sent. */
  readonly requestedAt: Instant.Instant
  /** The decoded body. Empty for a redirect. */
  readonly bytes: Uint8Array
  readonly secrets: ReadonlyArray<Redacted.Redacted>
}> {
  get contentType(): string | undefined {
    return this.headers["content-type"]
  }

  /** The own members of the JSON object in the body, or what is wrong with it. Read anew each time. */
  get json(): Result.Result<ReadonlyMap<string, unknown>, Flaw> {
    return JsonObject.parse(this.bytes)
  }

  /** Whether it points elsewhere. Status 0 is how a browser's fetch shows a redirect it was told not to follow. */
  get isRedirect(): boolean {
    return isRedirect(this.status)
  }

  /** A word of the answer that may be shown: a known alphabet, 100 characters at most, no part of a secret. */
  word(value: unknown): string | undefined {
    return Secrecy.word(value, this.secrets.map(Redacted.value))
  }

  /** A sentence of the answer that may be shown: printable ASCII, cut at 200 characters, no part of a secret. */
  sentence(value: unknown): string | undefined {
    return Secrecy.sentence(value, this.secrets.map(Redacted.value))
  }

  /** A text of the answer that may be shown, in any language: on one line, cut at 500 characters, no part of a secret. */
  text(value: unknown): string | undefined {
    return Secrecy.text(value, this.secrets.map(Redacted.value))
  }
}

/**
 * There was no answer that could be read.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class RequestFailed extends Data.TaggedError("RequestFailed")<{
  readonly reason: Reason
  readonly requestId: string | undefined
}> {
  override get message(): string {
    return this.reason.message
  }
}

/**
 * What a request keeps secret, and how long it may take.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** What must not be shown of the answer, should the server repeat it. */
  readonly secrets: ReadonlyArray<Redacted.Redacted>
  /** Until the answer begins: its status and headers. @default half of `timeout` */
  readonly headersTimeout?: Duration.Input | undefined
  /** Between one piece of the body and the next. @default half of `timeout` */
  readonly bodyTimeout?: Duration.Input | undefined
  /** The whole request, from connecting to the last byte. @default 30 seconds */
  readonly timeout?: Duration.Input | undefined
  /** Decoded bytes of body that are read before the connection is dropped. @default 262144 */
  readonly maximumBytes?: number | undefined
}

/**
 * Why a transport failed, told from the error codes along the chain of causes alone.
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const reasonOf = (error: unknown): Reason => TransportFailure.classify(error)

interface Deadlines {
  readonly headers: Duration.Duration
  readonly body: Duration.Duration
  readonly total: Duration.Duration
}

const standardTimeout = Duration.seconds(30)

const deadlinesOf = (
  { bodyTimeout, headersTimeout, timeout }: Pick<Options, "bodyTimeout" | "headersTimeout" | "timeout">
): Deadlines => {
  const total = Duration.fromInputUnsafe(timeout ?? standardTimeout)
  const half = Duration.times(total, 0.5)
  return {
    headers: headersTimeout === undefined ? half : Duration.fromInputUnsafe(headersTimeout),
    body: bodyTimeout === undefined ? half : Duration.fromInputUnsafe(bodyTimeout),
    total
  }
}

const failAfter = (duration: Duration.Duration, detail: Timeout["detail"]) =>
  Effect.timeoutOrElse({
    duration,
    orElse: () => Effect.fail(new RequestFailed({ reason: new Timeout({ detail }), requestId: undefined }))
  })

/** Some transports fail where there is nothing to read. */
const hasNoBody = (status: number): boolean => status === 204 || status === 205

const isRedirect = (status: number): boolean => status === 0 || (status >= 300 && status < 400)

const requestIdHeaders = ["x-tt-logid", "x-request-id", "x-amzn-requestid"]

/**
 * What an answer says before its body, which is taken to be empty. For answers of {@link open}.
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const head = Effect.fnUntraced(function*(
  response: HttpClientResponse,
  { requestedAt, secrets }: Pick<Answer, "requestedAt" | "secrets">
): Effect.fn.Return<Answer> {
  const { headers, status } = response
  yield* Effect.annotateCurrentSpan("http.response.status_code", status)
  const requestId = requestIdHeaders.map((name) => headers[name]).find(Predicate.isNotUndefined)
  return new Answer({
    status,
    headers,
    requestId: Secrecy.word(requestId, secrets.map(Redacted.value)),
    retryAfter: RetryAfter.parse(response, yield* Clock.currentTimeMillis),
    requestedAt,
    bytes: new Uint8Array(),
    secrets
  })
})

const readAnswer = Effect.fnUntraced(function*(
  response: HttpClientResponse,
  requestedAt: Instant.Instant,
  options: Options,
  deadlines: Deadlines
): Effect.fn.Return<Answer, RequestFailed> {
  const answer = yield* head(response, { requestedAt, secrets: options.secrets })
  if (hasNoBody(answer.status) || answer.isRedirect) return answer
  const bytes = yield* Effect.mapError(
    ResponseBody.read(response, options.maximumBytes ?? 256 * 1024, deadlines.body),
    (reason) => new RequestFailed({ reason, requestId: answer.requestId })
  )
  return new Answer({ ...answer, bytes })
})

/** What the request says itself comes first. */
const withDefaults = HttpClientRequest.updateHeaders((headers) =>
  Headers.merge(Headers.fromInput({ accept: "application/json", "accept-encoding": "identity" }), headers)
)

const execute = <R>(
  client: HttpClient.HttpClient.With<HttpClientError, R>,
  request: HttpClientRequest.HttpClientRequest,
  deadlines: Deadlines
): Effect.Effect<HttpClientResponse, RequestFailed, R> =>
  client.execute(request).pipe(
    Effect.provideService(HttpClient.TracerDisabledWhen, constTrue),
    Effect.updateContext(FetchRedirects.refuse<R>),
    Effect.mapError((error) => new RequestFailed({ reason: TransportFailure.classify(error), requestId: undefined })),
    failAfter(deadlines.headers, "headers")
  )

/**
 * Sends a request, and gives what comes back as soon as its status and headers are there. For answers that are passed on as
 * they are; {@link send} reads them.
 *
 * No redirect is followed, over a plain `FetchHttpClient.layer` neither. Fails with `RequestFailed`.
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const open = (
  request: HttpClientRequest.HttpClientRequest,
  options: Pick<Options, "headersTimeout" | "timeout"> = {}
): Effect.Effect<HttpClientResponse, RequestFailed, HttpClient.HttpClient> =>
  HttpClient.HttpClient.use((client) => execute(client, request, deadlinesOf(options)))

/**
 * Sends a request and reads the answer, whatever its status.
 *
 * Fails with `RequestFailed`. No redirect is followed, over a plain `FetchHttpClient.layer` neither.
 *
 * @example
 * ```ts
 * import { SecureRequest } from "@effect-identity/oauth"
 * import { Effect, Result } from "effect"
 * import { HttpClient, HttpClientRequest, HttpClientResponse } from "effect/http"
 *
 * const server = HttpClient.make((request) =>
 *   Effect.succeed(HttpClientResponse.fromWeb(request, Response.json({ code: 0 })))
 * )
 *
 * const answer = SecureRequest.send(HttpClientRequest.get("https://api.example/env"), { secrets: [] }).pipe(
 *   Effect.provideService(HttpClient.HttpClient, server)
 * )
 *
 * const { json } = await Effect.runPromise(answer)
 * Result.getOrThrow(json).get("code") // => 0
 * ```
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const send = Effect.fnUntraced(function*(
  request: HttpClientRequest.HttpClientRequest,
  options: Options
): Effect.fn.Return<Answer, RequestFailed, HttpClient.HttpClient> {
  const client = HttpClient.withScope(yield* HttpClient.HttpClient)
  const requestedAt = yield* Instant.now
  const deadlines = deadlinesOf(options)
  return yield* execute(client, withDefaults(request), deadlines).pipe(
    Effect.flatMap((response) => readAnswer(response, requestedAt, options, deadlines)),
    // Closing the scope closes the connection, unless the answer was read to its end.
    Effect.scoped,
    failAfter(deadlines.total, "total")
  )
})
