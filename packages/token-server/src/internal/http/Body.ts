/**
 * Reads the body of a request without trusting its size, its speed or its text.
 */
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as Problem from "../../Problem.ts"
import * as StrictJson from "./StrictJson.ts"

/** More than any request needs. */
export const maximumBytes = 64 * 1024

/** No request takes longer to arrive. */
const slowest = "10 seconds"

const invalid = (rule: string) => Problem.make("invalid_request", { issues: [{ name: "body", rule }] })

const tooLarge = Problem.make("content_too_large", { detail: `at most ${maximumBytes} bytes of body are read` })

const isJson = (contentType: string | undefined): boolean =>
  /^application\/json\s*(?:;\s*charset="?utf-8"?\s*)?$/i.test(contentType ?? "")

const collect = (request: HttpServerRequest.HttpServerRequest): Effect.Effect<Uint8Array, Problem.Problem> =>
  Effect.suspend(() => {
    const bytes = new Uint8Array(maximumBytes)
    let length = 0
    return request.stream.pipe(
      Stream.mapError(() => invalid("must be sent to its end")),
      Stream.runForEach((chunk) => {
        if (length + chunk.length > maximumBytes) return Effect.fail(tooLarge)
        bytes.set(chunk, length)
        length += chunk.length
        return Effect.void
      }),
      Effect.map(() => bytes.subarray(0, length)),
      Effect.timeoutOrElse({ duration: slowest, orElse: () => Effect.fail(Problem.make("request_timeout")) })
    )
  })

/** Refuses a body where none belongs. */
export const none = (request: HttpServerRequest.HttpServerRequest): Effect.Effect<void, Problem.Problem> =>
  request.headers["transfer-encoding"] === undefined && Number(request.headers["content-length"] ?? 0) === 0
    ? Effect.void
    : invalid("must be absent")

/** The request with a body that was read, and has been found to be JSON. */
export const json = Effect.fnUntraced(function*(
  request: HttpServerRequest.HttpServerRequest
): Effect.fn.Return<HttpServerRequest.HttpServerRequest, Problem.Problem> {
  const { authorization, "content-encoding": encoding, "content-length": length, "content-type": type } =
    request.headers
  if (encoding !== undefined && encoding.toLowerCase() !== "identity") {
    return yield* Problem.make("unsupported_media_type", { detail: "the body must have no content encoding" })
  }
  if (!isJson(type)) {
    return yield* Problem.make("unsupported_media_type", { detail: "the body must be application/json" })
  }
  if (Number(length ?? 0) > maximumBytes) return yield* tooLarge
  const text = yield* Effect.fromResult(Result.mapError(StrictJson.read(yield* collect(request)), invalid))
  return HttpServerRequest.fromWeb(
    new Request(new URL(request.url, "http://localhost"), {
      method: request.method,
      headers: { "content-type": "application/json", ...(authorization !== undefined && { authorization }) },
      body: text
    })
  )
})
