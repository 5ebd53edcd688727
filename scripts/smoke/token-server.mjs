// A token server from the packed package, as a program, asked through its packed client.
import { WeChat } from "@effect-identity/testing"
import { TokenServerClient } from "@effect-identity/token-server"
import { Effect, Redacted } from "effect"
import { FetchHttpClient } from "effect/http"
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const folder = mkdtempSync(join(tmpdir(), "token-server-"))
const program = spawn(process.execPath, ["node_modules/.bin/token-server"], {
  env: { TOKEN_SERVER_DATA: folder, TOKEN_SERVER_PORT: "0" }
})

const said = (stream, pattern) =>
  new Promise((resolve, reject) => {
    let text = ""
    stream.on("data", (chunk) => {
      text += chunk
      const found = pattern.exec(text)
      if (found !== null) resolve(found[0])
    })
    program.once("close", () => reject(new Error(`it ended: ${text}`)))
  })

const check = Effect.gen(function*() {
  const [baseUrl, key] = yield* Effect.promise(() =>
    Promise.all([said(program.stderr, /http:\/\/[\d.]+:\d+/), said(program.stdout, /tsk_[\w-]{43}/)])
  )
  const weChat = yield* WeChat.WeChat
  const { api, source } = yield* TokenServerClient.make({ baseUrl, apiKey: Redacted.make(key) })
  const config = { preset: "wechat", url: weChat.tokenUrl, private_addresses: [new URL(weChat.origin).host] }
  yield* api.realms.save({ payload: { id: "wxgzh", config } })
  const values = { key_1: Redacted.make(weChat.appId), key_2: Redacted.make(weChat.appSecret) }
  yield* api.secrets.save({ payload: { realm: "wxgzh", key: "app", ...values } })
  const token = yield* source({ realm: "wxgzh", key: "app" })
  assert.deepEqual([Redacted.value(token.value)], yield* weChat.issued)
})

try {
  await Effect.runPromise(Effect.provide(check, [WeChat.layer(), FetchHttpClient.layer]))
  program.kill("SIGTERM")
  const [code] = await once(program, "close")
  assert.equal(code, 0)
} finally {
  program.kill("SIGKILL")
  rmSync(folder, { recursive: true })
}
