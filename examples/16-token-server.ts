/**
 * A token server and its client in one program: a realm, a secret, and the token of it through the cache that everything else
 * here reads from. The server would be `npx -y pnpm@12.21.0 token-server`; WeChat is one on loopback.
 */
import { TokenCache } from "@effect-identity/oauth"
import { WeChat } from "@effect-identity/testing"
import { TokenServer, TokenServerClient } from "@effect-identity/token-server"
import { NodeHttpClient, NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Layer, Redacted } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const wanted = { realm: "wxgzh", key: "my-app" }

const program = Effect.gen(function*() {
  const weChat = yield* WeChat.WeChat
  const { origin, ready } = yield* TokenServer.TokenServer
  const { firstKey = Redacted.make("") } = yield* ready
  const client = yield* TokenServerClient.make({ baseUrl: origin, apiKey: firstKey })

  yield* client.api.realms.save({
    payload: {
      id: wanted.realm,
      // Elsewhere, the preset is all that it takes.
      config: { preset: "wechat", url: weChat.tokenUrl, private_addresses: [new URL(weChat.origin).host] }
    }
  })
  yield* client.api.secrets.save({
    payload: { ...wanted, key_1: Redacted.make(weChat.appId), key_2: Redacted.make(weChat.appSecret) }
  })

  const tokens = yield* Effect.provideService(
    TokenServerClient.tokens(wanted),
    TokenServerClient.TokenServerClient,
    client
  )
  const token = yield* tokens.get
  yield* Console.log(token.value, `${(yield* weChat.issued).length} token was asked for`)
  yield* tokens.reject(token)
  const next = yield* tokens.get
  yield* Console.log(next.value, next.generation > token.generation, (yield* weChat.issued).length)
})

const folder = mkdtempSync(join(tmpdir(), "token-server-"))

const layer = TokenServer.layer({
  host: "127.0.0.1",
  port: 0,
  storage: { _tag: "SQLite", folder },
  masterKeys: undefined
}).pipe(
  Layer.provideMerge(WeChat.layer()),
  Layer.provideMerge(TokenCache.layerLocal()),
  Layer.provideMerge(NodeHttpClient.layerNodeHttp)
)

NodeRuntime.runMain(
  Effect.provide(program, layer).pipe(Effect.ensuring(Effect.sync(() => rmSync(folder, { recursive: true }))))
)
