// The packed API client, as Effect layers and as promises, against the packed loopback API.
import { ApiClient } from "@effect-identity/api-client"
import { ApiError, createApiClient } from "@effect-identity/api-client/promise"
import { CognitoApi } from "@effect-identity/testing"
import { Effect, Layer, Redacted, Schema } from "effect"
import { FetchHttpClient } from "effect/http"
import assert from "node:assert/strict"

const Wallets = Schema.Struct({ wallets: Schema.Array(Schema.Struct({ id: Schema.String })) })

const program = Effect.gen(function*() {
  const { baseUrl, clientId, clientSecret, requests, tokenEndpoint } = yield* CognitoApi.CognitoApi
  const options = { baseUrl, tokenEndpoint, clientId, clientSecret: Redacted.make(clientSecret) }
  const wallets = ApiClient.ApiClient.use((client) => client.get("/wallets", { schema: Wallets }))
  const layer = Layer.provide(ApiClient.layer(options), FetchHttpClient.layer)
  assert.deepEqual(yield* Effect.provide(wallets, layer), { wallets: [{ id: "w-1" }] })

  const client = createApiClient({ ...options, clientSecret })
  const found = yield* Effect.promise(() => client.request("GET", "wallets"))
  assert.equal(found.wallets.length, 1)
  const response = yield* Effect.promise(() => client.fetch("/nothing"))
  assert.equal(response.status, 404)
  yield* Effect.promise(() => assert.rejects(client.request("GET", "../admin"), ApiError))
  assert.equal((yield* requests).length, 5)
})

await Effect.runPromise(Effect.provide(program, CognitoApi.layer()))
