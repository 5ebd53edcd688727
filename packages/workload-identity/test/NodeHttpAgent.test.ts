import { Platform } from "@effect-identity/testing"
import { Config, TokenCache, WorkloadIdentity } from "@effect-identity/workload-identity"
import { NodeWorkloadIdentity } from "@effect-identity/workload-identity/node"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer } from "effect"
import { serving } from "./ByteServer.ts"

const failureAt = (url: string, options?: Config.Options) =>
  WorkloadIdentity.WorkloadIdentity.use((identity) => Effect.flip(identity.accessToken)).pipe(
    Effect.provide(NodeWorkloadIdentity.layerNodeHttp.pipe(
      Layer.provide(TokenCache.layerLocal()),
      Layer.provide(Config.layer(options)),
      Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnvRecord({
        COZE_WORKLOAD_IDENTITY_CLIENT_ID: "app",
        COZE_WORKLOAD_IDENTITY_CLIENT_SECRET: "client-secret",
        COZE_WORKLOAD_IDENTITY_TOKEN_ENDPOINT: url,
        COZE_WORKLOAD_ACCESS_TOKEN_ENDPOINT: url
      })))
    ))
  )

describe("NodeHttpAgent", () => {
  it.live("gives up on a TLS handshake that never ends, and hangs up", () =>
    Effect.gen(function*() {
      const mute = yield* serving("")
      const error = yield* failureAt(`https://127.0.0.1:${mute.port}/token`, { connectTimeout: "100 millis" })
      assert.deepStrictEqual([error.reason, error.detail, error.retryable], ["Timeout", "connect", true])
      yield* Effect.promise(() => mute.asked)
      yield* Effect.promise(async () => mute.connections[0]?.closed)
    }))

  it.live("does not hurry an answer once it is connected", () =>
    Effect.gen(function*() {
      const mute = yield* serving("")
      const error = yield* failureAt(`http://127.0.0.1:${mute.port}/token`, {
        connectTimeout: "50 millis",
        timeout: "300 millis"
      })
      assert.deepStrictEqual([error.reason, error.detail], ["Timeout", "headers"])
    }))

  it.live("names TLS that is none, without sending anything", () =>
    Effect.gen(function*() {
      const platform = yield* Platform.Platform
      const error = yield* failureAt(platform.idTokenEndpoint.replace("http:", "https:"))
      assert.deepStrictEqual([error.reason, error.detail, error.retryable], ["Tls", "protocol", false])
      assert.lengthOf(yield* platform.requests, 0)
    }).pipe(Effect.provide(Platform.layer())))

  it.live("names a connection that nobody takes", () =>
    Effect.gen(function*() {
      const error = yield* failureAt("http://127.0.0.1:1/token")
      assert.deepStrictEqual([error.reason, error.detail, error.retryable], ["Transport", "refused", true])
    }))
})
