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
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Instant from "./Instant.ts"
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
  readonly contentType: string | undefined
  /** What the server calls this exchange: `X-Tt-Logid`, or `X-Request-Id`. */
  readonly requestId: string | undefined
  /** How long the server asks to wait (`Retry-After`), an hour at most. */
  readonly retryAfter: Duration.Duration | undefined
  /** The moment the request was sent. */
  readonly requestedAt: Instant.Instant
  /** The own members of the JSON object in the body, or what is wrong with it. */
  readonly json: Result.Result<ReadonlyMap<string, unknown>, Flaw>
  readonly secrets: ReadonlyArray<Redacted.Redacted>
}> {
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

const deadlinesOf = ({ bodyTimeout, headersTimeout, timeout }: Options): Deadlines => {
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

const readAnswer = Effect.fnUntraced(function*(
  response: HttpClientResponse,
  requestedAt: Instant.Instant,
  options: Options,
  deadlines: Deadlines
): Effect.fn.Return<Answer, RequestFailed> {
  const { headers, status } = response
  yield* Effect.annotateCurrentSpan("http.response.status_code", status)
  const secrets = options.secrets.map(Redacted.value)
  const requestId = Secrecy.word(headers["x-tt-logid"] ?? headers["x-request-id"], secrets)
  const json = hasNoBody(status) || isRedirect(status)
    ? Result.fail("empty" as const)
    : yield* ResponseBody.read(response, options.maximumBytes ?? 256 * 1024, deadlines.body).pipe(
      Effect.map(JsonObject.parse),
      Effect.mapError((error) =>
        new RequestFailed({
          reason: error._tag === "HttpClientError" ? TransportFailure.classify(error) : error,
          requestId
        })
      )
    )
  return new Answer({
    status,
    contentType: headers["content-type"],
    requestId,
    retryAfter: RetryAfter.parse(headers["retry-after"], headers["date"], yield* Clock.currentTimeMillis),
    requestedAt,
    json,
    secrets: options.secrets
  })
})

/**
 * Sends a request and reads the answer, whatever its status.
 *
 * Fails with `RequestFailed`. Needs an `HttpClient` that does not follow redirects.
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
  return yield* request.pipe(
    HttpClientRequest.setHeaders({ accept: "application/json", "accept-encoding": "identity" }),
    client.execute,
    Effect.provideService(HttpClient.TracerDisabledWhen, constTrue),
    Effect.mapError((error) => new RequestFailed({ reason: TransportFailure.classify(error), requestId: undefined })),
    failAfter(deadlines.headers, "headers"),
    Effect.flatMap((response) => readAnswer(response, requestedAt, options, deadlines)),
    // Closing the scope closes the connection, unless the answer was read to its end.
    Effect.scoped,
    failAfter(deadlines.total, "total")
  )
})
