/**
 * An upstream in memory that says when it was asked, and that a test can stop at every step of a request.
 */
import { Instant } from "@effect-identity/oauth"
import { Timeout } from "@effect-identity/oauth/OAuthError"
import { UpstreamFailed } from "@effect-identity/token-server/internal/Failure"
import { Upstream } from "@effect-identity/token-server/internal/upstream/Upstream"
import { Duration, Effect, Layer, Redacted } from "effect"

export interface Issued {
  readonly value: string
  readonly secret: string
  readonly at: number
}

export class Issuer {
  life = 7_200_000
  readonly issued: Array<Issued> = []
  /** Requests that left. */
  sent = 0
  /** What it answers instead of tokens, first one first. */
  readonly failures: Array<UpstreamFailed> = []
  /** Run for every request: before its claim is confirmed, before a token is issued, and before the answer arrives. */
  onConnect: Effect.Effect<void> = Effect.void
  onIssue: Effect.Effect<void> = Effect.void
  onAnswer: Effect.Effect<void> = Effect.void
  /** Whether requests end with the deadline of the realm. Those of a process that is stopped do not. */
  isPunctual = true

  readonly layer: Layer.Layer<Upstream> = Layer.succeed(
    Upstream,
    Upstream.of({
      obtain: (realm, values, beforeSend) => {
        const request = Effect.gen({ self: this }, function*() {
          const { onAnswer, onConnect, onIssue } = this
          const requestedAt = yield* Instant.now
          yield* onConnect
          yield* beforeSend
          this.sent++
          yield* onIssue
          const failure = this.failures.shift()
          if (failure !== undefined) return yield* failure
          const secret = [...values.values()].map(Redacted.value).join()
          const value = `token-${this.issued.length + 1}`
          this.issued.push({ value, secret, at: (yield* Instant.now).wall })
          yield* onAnswer
          return { value: Redacted.make(value), requestedAt, lifetime: Duration.millis(this.life) }
        })
        return this.isPunctual
          ? Effect.timeoutOrElse(request, {
            duration: realm.timeout,
            orElse: () =>
              Effect.fail(
                new UpstreamFailed({
                  reason: new Timeout({ detail: "total" }),
                  requestId: undefined,
                  retryAfter: undefined
                })
              )
          })
          : request
      }
    })
  )
}
