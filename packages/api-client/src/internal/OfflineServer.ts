/**
 * The other side of a client that never leaves the process.
 */
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Redacted from "effect/Redacted"

const tokenEndpoint = "https://issuer.test/token"

export const options = {
  baseUrl: "https://api.test",
  tokenEndpoint,
  clientId: "test",
  clientSecret: Redacted.make("test"),
  attempts: 1
}

const token = () => Response.json({ access_token: "offline-token", token_type: "Bearer", expires_in: 3600 })

export const make = (answer: (request: HttpClientRequest) => Response): HttpClient.HttpClient =>
  HttpClient.make((request) =>
    Effect.sync(() => HttpClientResponse.fromWeb(request, request.url === tokenEndpoint ? token() : answer(request)))
  )
