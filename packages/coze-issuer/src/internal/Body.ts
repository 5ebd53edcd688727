/**
 * Reads the body of a request without trusting its size.
 */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import { Problem } from "../Problem.ts"

/** More than any request for a token needs. */
const maximumBytes = 16 * 1024

const tooLarge = new Problem({ code: "content_too_large", detail: `at most ${maximumBytes} bytes of body are read` })

/** Refuses what says of itself that it is too large. */
export const checkLength = (headers: Headers): Effect.Effect<void, Problem> =>
  Number(headers.get("content-length") ?? 0) <= maximumBytes ? Effect.void : tooLarge

const collect = async (body: ReadableStream<Uint8Array>): Promise<Uint8Array | undefined> => {
  const bytes = new Uint8Array(maximumBytes)
  const reader = body.getReader()
  let length = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return bytes.subarray(0, length)
    if (length + value.length > maximumBytes) {
      await reader.cancel()
      return undefined
    }
    bytes.set(value, length)
    length += value.length
  }
}

/** The bytes of a body; none where there is none. */
export const read = ({ body }: Request): Effect.Effect<Uint8Array, Problem> =>
  body === null ? Effect.succeed(new Uint8Array()) : Effect.tryPromise({
    try: () => collect(body),
    catch: () => new Problem({ code: "invalid_request", detail: "the body broke off" })
  }).pipe(
    Effect.flatMap((bytes) => bytes === undefined ? tooLarge : Effect.succeed(bytes)),
    Effect.timeoutOrElse({ duration: "10 seconds", orElse: () => new Problem({ code: "request_timeout" }) })
  )

const notAnObject = new Problem({ code: "invalid_request", detail: "the body must be a JSON object" })

/** The members of the JSON object in a body; none where there is no body. */
export const readObject = Effect.fnUntraced(function*(
  request: Request
): Effect.fn.Return<ReadonlyMap<string, unknown>, Problem> {
  const bytes = yield* read(request)
  if (bytes.length === 0) return new Map()
  if (!/^application\/json\s*(?:;|$)/i.test(request.headers.get("content-type") ?? "")) {
    return yield* new Problem({ code: "unsupported_media_type", detail: "the body must be application/json" })
  }
  const json = yield* Effect.try({
    try: (): unknown => JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)),
    // The parser's own error quotes the text.
    catch: () => notAnObject
  })
  return Predicate.isObject(json) && !Array.isArray(json) ? new Map(Object.entries(json)) : yield* notAnObject
})
