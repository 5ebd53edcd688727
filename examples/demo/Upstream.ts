/**
 * What leaves this process, seen from the outside: how many requests, and what is in them, secrets blotted out.
 */
import { Console, Effect, Layer } from "effect"
import { HttpClient, type HttpClientRequest } from "effect/http"
import { subscribe } from "node:diagnostics_channel"

let started = 0

// Node announces every request of its HTTP client here, whoever sends it.
subscribe("http.client.request.start", () => {
  started++
})

/** The result of an effect, and the number of HTTP requests it cost. */
export const counted = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const before = started
    const result = yield* effect
    return { result, requests: started - before }
  })

const secrets = new Set(["client_secret", "subject_token"])

const show = (name: string, value: string): string =>
  `       ${name} = ${secrets.has(name) ? `<redacted, ${value.length} characters>` : value}`

const lines = (request: HttpClientRequest.HttpClientRequest): ReadonlyArray<string> => [
  `     ${request.method} ${request.url}`,
  ...(request.body._tag === "Uint8Array"
    ? Array.from(new URLSearchParams(new TextDecoder().decode(request.body.body)), ([name, value]) => show(name, value))
    : [])
]

/** A transport that shows each request and the status it was answered with. */
export const layerShowing: Layer.Layer<HttpClient.HttpClient, never, HttpClient.HttpClient> = Layer.effect(
  HttpClient.HttpClient,
  Effect.map(HttpClient.HttpClient, (client) =>
    client.pipe(
      HttpClient.tapRequest((request) => Console.log(lines(request).join("\n"))),
      HttpClient.tap((response) => Console.log(`       answered with ${response.status}`))
    ))
)
