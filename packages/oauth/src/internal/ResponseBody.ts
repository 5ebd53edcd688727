/**
 * Reads an answer's body without trusting its size: a bound on decoded bytes, at most one content encoding.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Predicate from "effect/Predicate"
import { InvalidResponse, type Reason } from "../OAuthError.ts"
import { outOfPatience, Pieces, tooLarge, type Unreadable } from "./Pieces.ts"
import * as StreamedBody from "./StreamedBody.ts"
import * as TransportFailure from "./TransportFailure.ts"

interface Step {
  readonly done?: boolean | undefined
  readonly value?: unknown
}

const collect = (
  next: Effect.Effect<Step, Unreadable>,
  maximumBytes: number
): Effect.Effect<Uint8Array<ArrayBuffer>, Unreadable> =>
  Effect.suspend(() => {
    const pieces = new Pieces(maximumBytes)
    const rest: Effect.Effect<Uint8Array<ArrayBuffer>, Unreadable> = Effect.flatMap(next, ({ done, value }) => {
      if (done === true) return Effect.succeed(pieces.bytes)
      return !(value instanceof Uint8Array) || pieces.add(value) ? rest : tooLarge
    })
    return rest
  })

const gunzip = (bytes: Uint8Array<ArrayBuffer>, maximumBytes: number): Effect.Effect<Uint8Array, Unreadable> =>
  Effect.suspend(() => {
    const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")).getReader()
    const next = Effect.tryPromise({ try: () => reader.read(), catch: () => "encoding" as const })
    return Effect.onError(collect(next, maximumBytes), () => Effect.promise(() => reader.cancel().catch(() => {})))
  })

const encodingsOf = (header: string | undefined): ReadonlyArray<string> =>
  (header ?? "").toLowerCase().split(",").map((name) => name.trim()).filter((name) =>
    name !== "" && name !== "identity"
  )

// Some transports (fetch) have decoded the body by the time it is read and still show the header.
const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b

const isIterable = (value: unknown): value is AsyncIterable<unknown> =>
  Predicate.hasProperty(value, Symbol.asyncIterator)

/** Node's own message, where a transport shows it: it is read without a stream around it. */
const messageOf = (response: HttpClientResponse): AsyncIterable<unknown> | undefined =>
  Predicate.hasProperty(response, "source") && isIterable(response.source) ? response.source : undefined

const readMessage = (message: AsyncIterable<unknown>, maximumBytes: number, patience: Duration.Duration) =>
  Effect.suspend(() => {
    const iterator = message[Symbol.asyncIterator]()
    const next = Effect.tryPromise({ try: () => iterator.next(), catch: TransportFailure.classify })
    return collect(Effect.timeoutOrElse(next, { duration: patience, orElse: () => outOfPatience }), maximumBytes)
  })

/** `gzip` is understood although it is not asked for: some gateways compress everything. */
export const read = Effect.fnUntraced(
  function*(
    response: HttpClientResponse,
    maximumBytes: number,
    patience: Duration.Duration
  ): Effect.fn.Return<Uint8Array, Unreadable> {
    const encodings = encodingsOf(response.headers["content-encoding"])
    if (encodings.length > 1 || encodings.some((name) => name !== "gzip" && name !== "x-gzip")) {
      return yield* Effect.fail("encoding" as const)
    }
    const message = messageOf(response)
    const bytes = message === undefined
      ? yield* StreamedBody.read(response, maximumBytes, patience)
      : yield* readMessage(message, maximumBytes, patience)
    return encodings.length === 1 && isGzip(bytes) ? yield* gunzip(bytes, maximumBytes) : bytes
  },
  (effect, response) =>
    Effect.mapError(
      effect,
      (error): Reason =>
        typeof error === "string" ? new InvalidResponse({ status: response.status, detail: error }) : error
    )
)
