/**
 * A tracer that keeps what it is told.
 *
 * @since 0.1.0
 */
import * as Tracer from "effect/Tracer"

/**
 * The tracer, and its spans in the order in which they began, open ones included.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface SpanRecorder {
  readonly tracer: Tracer.Tracer
  readonly spans: ReadonlyArray<Tracer.NativeSpan>
}

/**
 * Makes a recorder without spans.
 *
 * @example
 * ```ts
 * import { SpanRecorder } from "@effect-identity/testing"
 * import { Effect } from "effect"
 *
 * const { spans, tracer } = SpanRecorder.make()
 * Effect.runSync(Effect.withTracer(Effect.withSpan(Effect.void, "work"), tracer))
 * spans.map(({ name }) => name) // => ["work"]
 * ```
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make = (): SpanRecorder => {
  const spans: Array<Tracer.NativeSpan> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  return { tracer, spans }
}
