import { AccessToken, OAuthError, TokenCache, TokenMetrics } from "@effect-identity/oauth"
import { SpanRecorder } from "@effect-identity/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Logger, Metric, Redacted, References } from "effect"
import { TestClock } from "effect/testing"

const source = Effect.tap(
  AccessToken.make({ value: Redacted.make("t0ken"), lifetime: "1 hour" }),
  Effect.sleep("2 seconds")
)

const down = new OAuthError.OAuthError({
  operation: "tokenExchange",
  reason: new OAuthError.Status({ status: 503 }),
  requestId: "log-1"
})

const fetching = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(Effect.exit(effect), { startImmediately: true })
    yield* TestClock.adjust("2 seconds")
    return yield* Fiber.join(fiber)
  })

/** Every reason there is, once. */
const everything = Effect.gen(function*() {
  const cache = yield* TokenCache.make()
  yield* fetching(cache.get("app", source))
  yield* cache.get("app", source)
  yield* fetching(cache.refresh("app", source))
  yield* TestClock.adjust("50 minutes")
  const stale = yield* cache.get("app", source)
  yield* TestClock.adjust("2 seconds")
  const fresh = yield* cache.get("app", source)
  assert.notStrictEqual(stale, fresh)
  yield* cache.reject("app", fresh)
  yield* fetching(cache.get("app", source))
  yield* TestClock.adjust("50 minutes")
  yield* cache.get("app", Effect.fail(down))
  const leaving = yield* Effect.forkChild(cache.get("other", Effect.never), { startImmediately: true })
  yield* Fiber.interrupt(leaving)
})

const isolated = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => Effect.provideService(effect, Metric.MetricRegistry, new Map()))

const countOf = (metric: typeof TokenMetrics.answers, attributes: Record<string, string>) =>
  Effect.map(Metric.value(Metric.withAttributes(metric, attributes)), ({ count }) => Number(count))

describe("TokenMetrics", () => {
  it.effect("count every token that is handed out, by reason, and what it had left", () =>
    Effect.gen(function*() {
      yield* everything
      for (
        const [reason, count] of [
          ["hit", 2],
          ["stale-hit", 2],
          ["miss", 1],
          ["forced", 1],
          ["rejected", 1],
          ["refresh", 0]
        ] as const
      ) assert.strictEqual(yield* countOf(TokenMetrics.answers, { reason }), count, reason)
      const remaining = yield* Metric.value(TokenMetrics.remainingLifetime)
      assert.strictEqual(remaining.count, 7)
      assert.strictEqual(remaining.max, 3598)
      assert.closeTo(remaining.min, 598, 1)
    }).pipe(isolated))

  it.effect("count every request for a token, by reason and outcome, and how long it took", () =>
    Effect.gen(function*() {
      yield* everything
      for (
        const [attributes, count] of [
          [{ reason: "miss", outcome: "success" }, 1],
          [{ reason: "forced", outcome: "success" }, 1],
          [{ reason: "refresh", outcome: "success" }, 1],
          [{ reason: "rejected", outcome: "success" }, 1],
          [{ reason: "refresh", outcome: "failure", "error.type": "Status" }, 1],
          [{ reason: "miss", outcome: "interrupted" }, 1]
        ] as const
      ) assert.strictEqual(yield* countOf(TokenMetrics.flights, attributes), count, JSON.stringify(attributes))
      const duration = yield* Metric.value(
        Metric.withAttributes(TokenMetrics.flightDuration, { reason: "miss", outcome: "success" })
      )
      assert.deepStrictEqual([duration.count, duration.sum], [1, 2])
      // The last one to succeed was the replacement of the refused token.
      const { value } = yield* Metric.value(TokenMetrics.lastSuccess)
      assert.strictEqual(value, 2 + 2 + 3000 + 2 + 2)
    }).pipe(isolated))

  it.effect("are named and measured as they are documented", () =>
    Effect.sync(() => {
      const { answers, flightDuration, flights, lastSuccess, remainingLifetime } = TokenMetrics
      assert.deepStrictEqual([answers, flights, flightDuration, remainingLifetime, lastSuccess].map(({ id }) => id), [
        "token_cache.answers",
        "token_cache.flights",
        "token_cache.flight.duration",
        "token_cache.remaining_lifetime",
        "token_cache.last_success"
      ])
      for (const metric of [flightDuration, remainingLifetime, lastSuccess]) {
        assert.strictEqual(metric.attributes?.["unit"], "s")
      }
    }))
})

describe("spans", () => {
  it.effect("tell what a request for a token is made for; one in the background is linked to who noticed", () =>
    Effect.gen(function*() {
      const { spans, tracer } = SpanRecorder.make()
      yield* Effect.withTracer(Effect.withSpan(everything, "program"), tracer)
      const own = spans.filter(({ name }) => name.startsWith("TokenCache."))
      assert.deepStrictEqual(own.map(({ attributes, name }) => `${name} ${attributes.get("token_cache.reason")}`), [
        "TokenCache.acquire miss",
        "TokenCache.acquire forced",
        "TokenCache.refresh refresh",
        "TokenCache.acquire rejected",
        "TokenCache.refresh refresh",
        "TokenCache.acquire miss"
      ])
      const [program] = spans
      for (const span of own) {
        const isBackground = span.name === "TokenCache.refresh"
        assert.strictEqual(span.parent._tag, isBackground ? "None" : "Some")
        assert.deepStrictEqual(span.links.map((link) => link.span.spanId), isBackground ? [program?.spanId] : [])
      }
    }))
})

describe("logs", () => {
  const recording = (lines: Array<string>) =>
    Effect.provide(Logger.layer([
      Logger.make(({ fiber, logLevel, message }) => {
        lines.push(`${logLevel} ${message} ${JSON.stringify(fiber.getRef(References.CurrentLogAnnotations))}`)
      })
    ]))

  it.effect("warn of a refresh that failed, and say why and for how long", () =>
    Effect.gen(function*() {
      const lines: Array<string> = []
      yield* recording(lines)(everything)
      assert.lengthOf(lines, 1)
      assert.match(
        lines[0] ?? "",
        /^Warn token refresh failed, the current token stays in use while it is valid \{.*"token_cache.reason":"refresh","error.type":"Status","error.message":"tokenExchange: HTTP 503","token_cache.cool_down_ms":\d{4,5},"request.id":"log-1"\}$/
      )
    }))

  it.effect("tell of a source that is broken, without its message", () =>
    Effect.gen(function*() {
      const lines: Array<string> = []
      const cache = yield* TokenCache.make()
      yield* recording(lines)(Effect.exit(cache.get("app", Effect.die(new RangeError("s3cret")))))
      yield* recording(lines)(Effect.exit(cache.get("2", Effect.die("s3cret"))))
      yield* recording(lines)(
        Effect.exit(cache.get("3", Effect.die(Object.assign(new Error("x"), { name: "s3cret with blanks" }))))
      )
      assert.match(lines[0] ?? "", /^Error the source of a token is broken .*\(RangeError\)/)
      assert.match(lines[1] ?? "", /\(string\)/)
      assert.match(lines[2] ?? "", /\(object\)/)
      assert.notInclude(lines.join(), "s3cret")
      assert.notInclude(lines.join(), "request.id")
    }))

  it.effect("keep a failure that somebody was told to those who debug", () =>
    Effect.gen(function*() {
      const lines: Array<string> = []
      const cache = yield* TokenCache.make()
      yield* Effect.exit(cache.get("app", Effect.fail(down))).pipe(
        recording(lines),
        Effect.provideService(References.MinimumLogLevel, "All")
      )
      assert.match(lines[0] ?? "", /^Debug token request failed \{.*"token_cache.reason":"miss"/)
    }))
})
