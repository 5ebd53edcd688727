/**
 * The body of an answer that is there as a stream.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Stream from "effect/Stream"
import { outOfPatience, Pieces, tooLarge, type Unreadable } from "./Pieces.ts"
import * as TransportFailure from "./TransportFailure.ts"

export const read = ({ stream }: HttpClientResponse, maximumBytes: number, patience: Duration.Duration) =>
  Effect.suspend(() => {
    const pieces = new Pieces(maximumBytes)
    return Stream.mapError(stream, TransportFailure.classify).pipe(
      Stream.timeoutOrElse({ duration: patience, orElse: () => Stream.fromEffect(outOfPatience) }),
      Stream.runForEach((piece): Effect.Effect<void, Unreadable> => pieces.add(piece) ? Effect.void : tooLarge),
      Effect.map(() => pieces.bytes)
    )
  })
