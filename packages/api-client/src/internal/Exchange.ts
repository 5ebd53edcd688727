/**
 * One call: signed, kept back while the API is to be left alone, repeated where that can help and does no harm, all within
 * one deadline.
 */
import type { AccessToken } from "@effect-identity/oauth/AccessToken"
import * as BearerAuth from "@effect-identity/oauth/BearerAuth"
import * as Instant from "@effect-identity/oauth/Instant"
import { type OAuthError, type Reason, Timeout, Transport } from "@effect-identity/oauth/OAuthError"
import * as Retry from "@effect-identity/oauth/Retry"
import * as SecureRequest from "@effect-identity/oauth/SecureRequest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import { ApiError, InvalidRequest, type Reason as ApiReason, Throttled } from "../ApiError.ts"
import * as ApiAnswer from "./ApiAnswer.ts"
import * as Outgoing from "./Outgoing.ts"
import type { Settings } from "./Settings.ts"
import * as Throttle from "./Throttle.ts"

type Tokens = BearerAuth.Tokens<OAuthError>

type Deadlines = Pick<SecureRequest.Options, "bodyTimeout" | "headersTimeout" | "timeout">

/** An answer, and the response whose body it does not hold. */
interface Received {
  readonly answer: SecureRequest.Answer
  readonly response: HttpClientResponse | undefined
}

interface Outcome extends Received {
  readonly failure: ApiError | undefined
}

const ofTransport = (reason: Reason): ApiReason => {
  switch (reason._tag) {
    case "InvalidResponse":
    case "Proxy":
    case "Timeout":
    case "Tls":
    case "Transport":
      return reason
    default:
      return new Transport({ detail: "other" })
  }
}

const unanswered = (method: string, reason: ApiReason, told: Partial<ApiError> = {}) =>
  new ApiError({ method, reason, requestId: told.requestId, rateLimit: undefined, retryAfter: told.retryAfter })

const discard = ({ response }: Received): Effect.Effect<void> =>
  response === undefined ? Effect.void : BearerAuth.discard(response)

export const make = Effect.fnUntraced(function*(settings: Settings, throttle: Throttle.Throttle) {
  const client = yield* HttpClient.HttpClient

  /** Sends once, and reads the answer to its end. */
  const read = (request: HttpClientRequest.HttpClientRequest, token: AccessToken, deadlines: Deadlines) =>
    Effect.map(
      SecureRequest.send(request, {
        ...deadlines,
        secrets: [token.value, settings.clientSecret],
        maximumBytes: settings.maximumBytes
      }),
      (answer): Received => ({ answer, response: undefined })
    )

  /** Sends once, and leaves the body of the answer where it is. */
  const open = (request: HttpClientRequest.HttpClientRequest, token: AccessToken, deadlines: Deadlines) =>
    Effect.gen(function*(): Effect.fn.Return<Received, SecureRequest.RequestFailed, HttpClient.HttpClient> {
      const requestedAt = yield* Instant.now
      const response = yield* SecureRequest.open(request, deadlines)
      const secrets = [token.value, settings.clientSecret]
      return { response, answer: yield* SecureRequest.head(response, { requestedAt, secrets }) }
    })

  const exchange = Effect.fnUntraced(function*(
    request: HttpClientRequest.HttpClientRequest,
    tokens: Tokens,
    timeout: Duration.Duration,
    send: typeof read | typeof open
  ): Effect.fn.Return<Outcome, ApiError | OAuthError> {
    const { method } = request
    const began = yield* Instant.now
    const left = (now: Instant.Instant) => Duration.toMillis(timeout) - Instant.elapsed(began, now)
    const isReplayable = BearerAuth.isReplayable(request)
    const isRepeatable = isReplayable && Outgoing.isRepeatable(request)
    const attempts = settings.attempts ?? (yield* Retry.Attempts)
    // So that there is time for another attempt, where there may be one.
    const patience = isRepeatable && attempts > 1 ? Duration.times(timeout, 0.5) : timeout
    const deadlines = { headersTimeout: patience, bodyTimeout: patience, timeout }
    let isReplaced = false
    let last: Outcome | undefined

    /** Comes before the token, which may end while a call is kept back. */
    const passing = Effect.flatMap(throttle.pass(left), (retryAfter) => {
      const reason = new Throttled({ status: 429, code: undefined, description: undefined, isSent: false })
      return retryAfter === undefined ? Effect.void : Effect.fail(unanswered(method, reason, { retryAfter }))
    })

    const attempt = Effect.fnUntraced(function*(token: AccessToken): Effect.fn.Return<Outcome, ApiError> {
      if (last !== undefined) {
        isReplaced ||= last.answer.status === 401
        yield* discard(last)
      }
      last = undefined
      const signed = yield* Effect.mapError(
        BearerAuth.sign(request, token),
        ({ rule }) => unanswered(method, new InvalidRequest({ field: "token", rule }))
      )
      const received = yield* send(signed, token, deadlines).pipe(
        Effect.provideService(HttpClient.HttpClient, client),
        Effect.mapError(({ reason, requestId }) => unanswered(method, ofTransport(reason), { requestId }))
      )
      const failure = ApiAnswer.failureOf(method, received.answer)
      if (failure?.retryAfter !== undefined && failure.reason._tag === "Throttled") {
        yield* throttle.close(failure.retryAfter)
      }
      last = { ...received, failure }
      return failure === undefined || failure.status === 401 ? last : yield* failure
    })

    const signing = Effect.andThen(
      passing,
      // One token is replaced in all attempts together.
      Effect.suspend(() =>
        BearerAuth.use(tokens, attempt, {
          isRefused: ({ answer }) => answer.status === 401,
          isReplayable: isReplayable && !isReplaced
        })
      )
    )

    return yield* Retry.within(signing, {
      timeout,
      // A source of tokens has its own attempts behind it.
      advice: (error) =>
        error._tag === "ApiError"
          ? { isRetryable: isRepeatable && error.isRetryable, retryAfter: error.retryAfter }
          : { isRetryable: false, retryAfter: undefined },
      onTimeout: () => unanswered(method, new Timeout({ detail: "total" })),
      spread: Throttle.spread
    }).pipe(
      Effect.provideService(Retry.Attempts, attempts),
      Effect.catch((error): Effect.Effect<Outcome, ApiError | OAuthError> => {
        if (last?.response === undefined) return Effect.fail(error)
        // What was refused to the end is still an answer, to those who want to see it themselves.
        return last.failure === error && !last.answer.isRedirect
          ? Effect.succeed(last)
          : Effect.andThen(discard(last), Effect.fail(error))
      }),
      Effect.tapError((error) => Effect.annotateCurrentSpan("error.type", error.reason._tag)),
      Effect.withSpan("ApiClient.request", {
        kind: "client",
        attributes: {
          "http.request.method": method,
          "server.address": settings.baseUrl.hostname,
          "server.port": settings.baseUrl.port
        }
      })
    )
  })

  return {
    /** The answer of a success, or the failure. */
    answer: Effect.fnUntraced(function*(
      request: HttpClientRequest.HttpClientRequest,
      tokens: Tokens,
      timeout: Duration.Duration
    ): Effect.fn.Return<SecureRequest.Answer, ApiError | OAuthError> {
      const { answer, failure } = yield* exchange(request, tokens, timeout, read)
      return failure === undefined ? answer : yield* failure
    }),

    /** The response, whatever its status, but no redirect. */
    response: Effect.fnUntraced(function*(
      request: HttpClientRequest.HttpClientRequest,
      tokens: Tokens,
      timeout: Duration.Duration
    ): Effect.fn.Return<HttpClientResponse, ApiError | OAuthError> {
      const { response } = yield* exchange(request, tokens, timeout, open)
      return response ?? (yield* unanswered(request.method, new Transport({ detail: "other" })))
    })
  }
})
