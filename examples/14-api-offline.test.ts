/**
 * A test of a program like the one with the wallets, which needs neither issuer nor API: a function answers.
 */
import { ApiClient } from "@effect-identity/api-client"
import { assert, it } from "@effect/vitest"
import { Effect, Schema } from "effect"

const Wallets = Schema.Struct({ wallets: Schema.Array(Schema.Struct({ balance: Schema.String })) })

const balances = Effect.gen(function*() {
  const client = yield* ApiClient.ApiClient
  const { wallets } = yield* client.get("/wallets", { schema: Wallets })
  return wallets.map(({ balance }) => balance)
}).pipe(Effect.catchTag("ApiError", ({ code }) => Effect.succeed([`unknown (${code})`])))

it.effect("lists balances", () =>
  Effect.gen(function*() {
    assert.deepStrictEqual(yield* balances, ["10.00"])
  }).pipe(Effect.provide(ApiClient.layerTest(() => Response.json({ wallets: [{ balance: "10.00" }] })))))

it.effect("says so when it cannot", () =>
  Effect.gen(function*() {
    assert.deepStrictEqual(yield* balances, ["unknown (rate_limit_exceeded)"])
  }).pipe(
    Effect.provide(
      ApiClient.layerTest(() => Response.json({ error: { code: "rate_limit_exceeded" } }, { status: 429 }))
    )
  ))
