/**
 * Presents a token as a bearer (RFC 6750 §2.1), and replaces it once when it is refused.
 *
 * A 401 costs one new token, however many requests it hits: whoever is refused drops the token only if it is still the one
 * that is held, and the cache asks once for all. There is no second attempt when the token was obtained for this very
 * request, because then the token is not what is wrong; and none when a replacement was refused a moment ago. A 403 says
 * that the token is valid and not enough (RFC 6750 §3.1), so nothing is done about it.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import type { AccessToken } from "./AccessToken.ts"
import * as Instant from "./Instant.ts"
import type { OAuthError } from "./OAuthError.ts"
import type { SecureUrl } from "./SecureUrl.ts"
import type { TokenCache } from "./TokenCache.ts"

/**
 * Where tokens come from, and where to say that one was refused.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Tokens<E> {
  readonly get: Effect.Effect<AccessToken, E>
  /** Answers whether it is worth asking for another one. */
  readonly reject: (refused: AccessToken) => Effect.Effect<boolean>
}

/**
 * The tokens of one key of a cache.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const fromCache = (
  cache: TokenCache["Service"],
  key: string,
  source: Effect.Effect<AccessToken, OAuthError>
): Tokens<OAuthError> => ({
  get: cache.get(key, source),
  reject: (refused) => cache.reject(key, refused)
})

/**
 * A request that must not carry the token, or cannot. It was not sent.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class UnsignableRequest extends Data.TaggedError("UnsignableRequest")<{ readonly rule: string }> {
  override get message(): string {
    return this.rule
  }
}

/**
 * How {@link use} tells refusals.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Use<A> {
  readonly isRefused: (answer: A) => boolean
  /** Whether it can be sent a second time. The token is dropped all the same when it is refused. @default true */
  readonly isReplayable?: boolean | undefined
  /** Lets go of a refused answer before the second attempt. */
  readonly discard?: ((answer: A) => Effect.Effect<void>) | undefined
}

/**
 * Sends something with a token, and when that is refused, once more with the one that replaces it, if there is one.
 *
 * Fails with what the tokens and the sending fail with. An answer that is refused to the end is given out as it is.
 *
 * @example
 * ```ts
 * import { AccessToken, BearerAuth, TokenCache } from "@effect-identity/oauth"
 * import { Effect, Redacted } from "effect"
 *
 * let minted = 0
 * const source = Effect.suspend(() =>
 *   AccessToken.make({ value: Redacted.make(`token-${++minted}`), lifetime: "1 hour" })
 * )
 *
 * const program = Effect.gen(function*() {
 *   const cache = yield* TokenCache.make()
 *   yield* cache.get("app", source)
 *   return yield* BearerAuth.use(
 *     BearerAuth.fromCache(cache, "app", source),
 *     (token) => Effect.succeed(Redacted.value(token.value)),
 *     { isRefused: (answer) => answer === "token-1" }
 *   )
 * })
 *
 * await Effect.runPromise(Effect.scoped(program)) // => "token-2"
 * ```
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const use = Effect.fnUntraced(function*<A, E, E2, R>(
  tokens: Tokens<E>,
  send: (token: AccessToken) => Effect.Effect<A, E2, R>,
  { discard, isRefused, isReplayable = true }: Use<A>
): Effect.fn.Return<A, E | E2, R> {
  const began = yield* Instant.now
  const token = yield* tokens.get
  const answer = yield* send(token)
  const isOurs = token.requestedAt.monotonic > began.monotonic
  if (!isRefused(answer) || isOurs || !(yield* tokens.reject(token)) || !isReplayable) return answer
  if (discard !== undefined) yield* discard(answer)
  const replacement = yield* tokens.get
  yield* Effect.annotateCurrentSpan("http.request.resend_count", 1)
  return yield* send(replacement)
})

/** What of a body that was refused is read before the connection is dropped. */
const maximumChunks = 16

/**
 * Lets go of an answer that nobody will read: a short one is read to its end, so that its connection can serve again.
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const discard = (response: HttpClientResponse): Effect.Effect<void> =>
  Stream.runDrain(Stream.take(response.stream, maximumChunks)).pipe(
    Effect.timeout("1 second"),
    Effect.ignore
  )

const isPlain = (body: unknown): boolean =>
  typeof body === "string" || body instanceof ArrayBuffer || ArrayBuffer.isView(body) || body instanceof Blob
  || body instanceof FormData || body instanceof URLSearchParams

/**
 * Whether a request can be sent a second time: not when its body is a stream, or something only the transport knows.
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const isReplayable = ({ body }: HttpClientRequest.HttpClientRequest): boolean =>
  body._tag === "Empty" || body._tag === "Uint8Array" || body._tag === "FormData"
  || (body._tag === "Raw" && isPlain(body.body))

/**
 * A request with a token in it. Fails with `UnsignableRequest` when no header could carry the token.
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const sign = (
  request: HttpClientRequest.HttpClientRequest,
  { value }: AccessToken
): Effect.Effect<HttpClientRequest.HttpClientRequest, UnsignableRequest> =>
  // Transports quote a header they refuse, or die of it.
  /^[\x21-\x7e]+$/.test(Redacted.value(value))
    ? Effect.succeed(HttpClientRequest.bearerToken(request, Redacted.value(value)))
    : Effect.fail(new UnsignableRequest({ rule: "the token has characters that a header cannot carry" }))

/**
 * Makes a client sign what it sends to one origin. Requests to any other are refused with `UnsignableRequest` and not sent.
 *
 * A request whose body is a stream is sent once only. The client must not follow redirects: it would show the token to
 * wherever they lead.
 *
 * @example
 * ```ts
 * import { AccessToken, BearerAuth, SecureUrl } from "@effect-identity/oauth"
 * import { Effect, Redacted, Result } from "effect"
 * import { HttpClient, HttpClientResponse } from "effect/http"
 *
 * const server = HttpClient.make((request) =>
 *   Effect.succeed(HttpClientResponse.fromWeb(request, new Response(request.headers["authorization"])))
 * )
 *
 * const client = BearerAuth.apply(server, {
 *   origin: Result.getOrThrow(SecureUrl.parse("https://api.example")),
 *   tokens: {
 *     get: AccessToken.make({ value: Redacted.make("t0ken"), lifetime: "1 hour" }),
 *     reject: () => Effect.succeed(false)
 *   }
 * })
 *
 * const answer = Effect.flatMap(client.get("https://api.example/wallets"), (response) => response.text)
 * await Effect.runPromise(answer) // => "Bearer t0ken"
 * ```
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const apply = <E, R, E2>(
  client: HttpClient.HttpClient.With<E, R>,
  { origin, tokens }: { readonly origin: SecureUrl; readonly tokens: Tokens<E2> }
): HttpClient.HttpClient.With<E | E2 | UnsignableRequest, R> => {
  const allowed = new URL(origin.href).origin
  return HttpClient.makeWith<E | E2 | UnsignableRequest, R, E | E2 | UnsignableRequest, R>(
    Effect.flatMap((request) =>
      URL.parse(request.url)?.origin === allowed
        ? use(tokens, (token) => Effect.flatMap(sign(request, token), client.execute), {
          isRefused: ({ status }) => status === 401,
          isReplayable: isReplayable(request),
          discard
        })
        : Effect.fail(new UnsignableRequest({ rule: "the request does not go to the origin the token is for" }))
    ),
    Effect.succeed
  )
}
