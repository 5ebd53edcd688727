/**
 * The body of a message as a stream. It has a module of its own because streams are large, and no token needs one.
 */
import * as Stream from "effect/Stream"
import type * as Http from "node:http"

export const make = <E>(source: Http.IncomingMessage, onError: (cause: unknown) => E): Stream.Stream<Uint8Array, E> =>
  Stream.fromAsyncIterable(source, onError)
