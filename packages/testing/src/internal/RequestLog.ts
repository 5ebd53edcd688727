/**
 * Writes down what arrives at a server, and how it ended.
 */
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as Effect from "effect/Effect"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { RecordedRequest } from "../RecordedRequest.ts"

type Requests = ReadonlyArray<RecordedRequest>

const awaitClose = (request: HttpServerRequest.HttpServerRequest): Effect.Effect<RecordedRequest["outcome"]> =>
  Effect.callback((resume) => {
    const response = NodeHttpServerRequest.toServerResponse(request)
    response.once("close", () => resume(Effect.succeed(response.writableFinished ? "answered" : "closed")))
  })

export const make = Effect.gen(function*() {
  const scope = yield* Effect.scope
  const log = yield* SubscriptionRef.make<Requests>([])
  let count = 0

  const record = Effect.fnUntraced(function*(
    request: HttpServerRequest.HttpServerRequest,
    stepOf: (path: string, form: RecordedRequest["form"]) => RecordedRequest["step"]
  ) {
    const id = count++
    const body = yield* Effect.orDie(request.text)
    const form = Array.from(new URLSearchParams(body))
    const recorded = new RecordedRequest({
      id,
      step: stepOf(request.url, form),
      method: request.method,
      path: request.url,
      headers: { ...request.headers },
      body,
      form,
      outcome: "pending"
    })
    yield* SubscriptionRef.update(log, (requests) => [...requests, recorded])
    yield* awaitClose(request).pipe(
      Effect.flatMap((outcome) =>
        SubscriptionRef.update(
          log,
          (requests) => requests.map((each) => each.id === id ? new RecordedRequest({ ...each, outcome }) : each)
        )
      ),
      Effect.forkIn(scope)
    )
    return recorded
  })

  return {
    record,
    requests: SubscriptionRef.get(log),
    requestsUntil: (condition: (requests: Requests) => boolean) =>
      SubscriptionRef.changes(log).pipe(
        Stream.filter(condition),
        Stream.runHead,
        Effect.flatMap(Effect.fromOption),
        Effect.orDie
      ),
    /** Requests that are over are not in the log any more. */
    forget: SubscriptionRef.update(log, (requests) => requests.filter(({ outcome }) => outcome === "pending"))
  }
})
