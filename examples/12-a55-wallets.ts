/**
 * An API behind client credentials, A55 behind Cognito: typed answers, and a token that is asked for once and renewed before
 * it ends. The `A55_*` variables say where and who.
 */
import { ApiClient } from "@effect-identity/api-client"
import { NodeHttpClient, NodeRuntime } from "@effect/platform-node"
import { Config, Console, Effect, Layer, Schema } from "effect"

const Wallets = Schema.Struct({
  wallets: Schema.Array(Schema.Struct({ id: Schema.String, currency: Schema.String, balance: Schema.String }))
})

const layer = ApiClient.layerConfig({
  baseUrl: Config.String("A55_BASE_URL"),
  tokenEndpoint: Config.String("A55_TOKEN_ENDPOINT"),
  clientId: Config.String("A55_CLIENT_ID"),
  clientSecret: Config.Redacted("A55_CLIENT_SECRET")
}).pipe(Layer.provide(NodeHttpClient.layerNodeHttp))

const program = Effect.gen(function*() {
  const client = yield* ApiClient.ApiClient
  const { wallets } = yield* client.get("/wallets", { schema: Wallets })
  for (const { balance, currency, id } of wallets) yield* Console.log(`${id}: ${balance} ${currency}`)
  yield* client.post("/wallets", { json: { currency: "BRL" }, idempotencyKey: crypto.randomUUID() })
  const { granted } = yield* client.tokenRequests
  yield* Console.log(`${granted} token for two calls`)
}).pipe(
  Effect.catchTag("ApiError", (error) => Console.error(error.status, error.code, error.requestId))
)

NodeRuntime.runMain(Effect.provide(program, layer))
