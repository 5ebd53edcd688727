/**
 * Asks upstreams over HTTP, each within the limits of its realm.
 */
import * as Instant from "@effect-identity/oauth/Instant"
import { type Reason, Timeout } from "@effect-identity/oauth/OAuthError"
import * as SecureRequest from "@effect-identity/oauth/SecureRequest"
import type { SecureUrl } from "@effect-identity/oauth/SecureUrl"
import type { Attempt } from "@effect-identity/oauth/TokenEndpoint"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import type { Fixed, Realm, Request } from "../../Realm.ts"
import { type Refused, Unusable, UpstreamFailed } from "../Failure.ts"
import * as AddressRules from "./AddressRules.ts"
import { Egress } from "./Egress.ts"
import * as Question from "./Question.ts"
import * as Reading from "./Reading.ts"
import * as Turns from "./Turns.ts"
import { type Obtained, Upstream } from "./Upstream.ts"

const failWith = (
  reason: Reason | Refused | Unusable,
  told: Partial<Pick<UpstreamFailed, "requestId" | "retryAfter">> = {}
) => new UpstreamFailed({ reason, requestId: told.requestId, retryAfter: told.retryAfter })

const obtainFixed = Effect.fnUntraced(function*(
  { lifetime, token }: Fixed,
  values: Question.Values
): Effect.fn.Return<Obtained, UpstreamFailed> {
  const value = "key" in token ? values.get(token.key) : undefined
  if (value === undefined) return yield* failWith(new Unusable({ detail: "secret" }))
  return { value, requestedAt: yield* Instant.now, lifetime }
})

const withDeadline = (duration: Duration.Duration) =>
  Effect.timeoutOrElse({ duration, orElse: () => Effect.fail(failWith(new Timeout({ detail: "total" }))) })

const make = Effect.gen(function*() {
  const { connect } = yield* Egress
  const { take } = Turns.make()

  const ask = Effect.fnUntraced(function*<E, R>(
    url: SecureUrl,
    attempt: Attempt,
    { egress, source, timeout }: { readonly source: Request } & Pick<Realm, "egress" | "timeout">,
    beforeSend: Effect.Effect<void, E, R>
  ): Effect.fn.Return<Obtained, UpstreamFailed | E, R | Scope.Scope> {
    const openings = egress.privateAddresses.map(AddressRules.parseOpening).filter(Predicate.isNotUndefined)
    const client = yield* Effect.mapError(connect(url, openings), (reason) => failWith(reason))
    // Whoever was superseded meanwhile stops here: the connection stands, and not a byte of the request has left.
    yield* beforeSend
    const answer = yield* SecureRequest.send(attempt.request, {
      secrets: attempt.secrets,
      timeout,
      headersTimeout: timeout
    }).pipe(
      Effect.provideService(HttpClient.HttpClient, client),
      Effect.mapError((failure) => failWith(failure.reason, failure))
    )
    return yield* Effect.mapError(
      Effect.fromResult(Reading.read(answer, source)),
      (reason) => failWith(reason, answer)
    )
  })

  const request = Effect.fnUntraced(function*<E, R>(
    source: Request,
    realm: Realm,
    values: Question.Values,
    beforeSend: Effect.Effect<void, E, R>,
    isForced: boolean
  ): Effect.fn.Return<Obtained, UpstreamFailed | E, R | Scope.Scope> {
    const limits = { egress: realm.egress, source, timeout: realm.timeout }
    const attempt = yield* Effect.mapError(Question.make(source, values, isForced), (reason) => failWith(reason))
    const { exchange } = source
    if (exchange === undefined) return yield* ask(source.url, attempt, limits, beforeSend)
    const { value } = yield* ask(source.url, attempt, limits, Effect.void)
    const traded = yield* Effect.mapError(Question.exchange(exchange, values, value), (reason) => failWith(reason))
    return yield* ask(exchange.url, traded, limits, beforeSend)
  })

  return Upstream.of({
    obtain: (realm, values, beforeSend, isForced = false) => {
      const { source } = realm
      if (source._tag === "Fixed") return Effect.andThen(beforeSend, obtainFixed(source, values))
      return take(realm, Effect.scoped(request(source, realm, values, beforeSend, isForced))).pipe(
        withDeadline(realm.timeout),
        // Its own span: that of the client would show the address, and with it what WeChat wants in there.
        Effect.withSpan("Upstream.obtain", {
          kind: "client",
          attributes: {
            "realm.id": realm.id,
            "http.request.method": source.method,
            "server.address": source.url.hostname,
            "server.port": source.url.port
          }
        })
      )
    }
  })
})

export const layer: Layer.Layer<Upstream, never, Egress> = Layer.effect(Upstream, make)
