/**
 * Reads an answer's body without trusting its size: a bound on decoded bytes, at most one content encoding.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { HttpClientError } from "effect/http/HttpClientError"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Stream from "effect/Stream"
import { type Flaw, InvalidResponse, Timeout } from "../OAuthError.ts"

const concat = (chunks: ReadonlyArray<Uint8Array>, length: number): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(length)
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.length
  }
  return bytes
}

const collect = <E>(stream: Stream.Stream<Uint8Array, E>, maximumBytes: number) =>
  Effect.suspend(() => {
    const chunks: Array<Uint8Array> = []
    let length = 0
    return Stream.runForEach(stream, (chunk) => {
      length += chunk.length
      chunks.push(chunk)
      return length > maximumBytes ? Effect.fail("tooLarge" as const) : Effect.void
    }).pipe(Effect.map(() => concat(chunks, length)))
  })

const gunzip = (bytes: Uint8Array<ArrayBuffer>, maximumBytes: number): Effect.Effect<Uint8Array, Flaw> =>
  collect(
    Stream.fromReadableStream({
      evaluate: () => new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")),
      onError: () => "encoding" as const
    }),
    maximumBytes
  )

const encodingsOf = (header: string | undefined): ReadonlyArray<string> =>
  (header ?? "").toLowerCase().split(",").map((name) => name.trim()).filter((name) =>
    name !== "" && name !== "identity"
  )

// Some transports (fetch) have decoded the body by the time it is read and still show the header.
const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b

/** `gzip` is understood although it is not asked for: some gateways compress everything. */
export const read = Effect.fnUntraced(
  function*(
    response: HttpClientResponse,
    maximumBytes: number,
    patience: Duration.Duration
  ): Effect.fn.Return<Uint8Array, HttpClientError | Timeout | Flaw> {
    const encodings = encodingsOf(response.headers["content-encoding"])
    if (encodings.length > 1 || encodings.some((name) => name !== "gzip" && name !== "x-gzip")) {
      return yield* Effect.fail("encoding" as const)
    }
    const pieces = Stream.timeoutOrElse(response.stream, {
      duration: patience,
      orElse: () => Stream.fail(new Timeout({ detail: "body" }))
    })
    const bytes = yield* collect(pieces, maximumBytes)
    return encodings.length === 1 && isGzip(bytes) ? yield* gunzip(bytes, maximumBytes) : bytes
  },
  (effect, response) =>
    Effect.mapError(
      effect,
      (error) => typeof error === "string" ? new InvalidResponse({ status: response.status, detail: error }) : error
    )
)
