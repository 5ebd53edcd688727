// An issuer from the packed package: behind promises, as a program, and as the file that Workers run.
import { createIssuer } from "@effect-identity/coze-issuer/CozeIssuer"
import worker from "@effect-identity/coze-issuer/worker"
import { CozeOAuth } from "@effect-identity/testing"
import { Effect } from "effect"
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { once } from "node:events"

const digest = createHash("sha256").update("smoke-key").digest("hex")
const init = { method: "POST", headers: { authorization: "Bearer smoke-key", "x-user-id": "alice" } }

const check = async ({ env }) => {
  const settings = { ...env, CALLER_API_KEYS: `smoke:${digest}:sessions` }

  const issuer = await createIssuer({
    clientId: env.CLIENT_ID,
    keyId: env.KID,
    privateKey: env.PRIVATE_KEY,
    tokenEndpoint: env.TOKEN_ENDPOINT
  })
  assert.match((await issuer.getAccessToken()).accessToken, /^czs_/)
  await issuer.close()

  const answer = await worker.fetch(new Request("https://token.example/", init), settings, { waitUntil: () => {} })
  assert.match((await answer.json()).access_token, /^czs_/)

  const program = spawn(process.execPath, ["node_modules/.bin/coze-issuer"], { env: { ...settings, PORT: "0" } })
  const [line] = await once(program.stdout, "data")
  const [origin] = /http:\/\/[\d.:]+/.exec(String(line))
  assert.match((await (await fetch(origin, init)).json()).access_token, /^czs_/)
  program.kill("SIGTERM")
  await once(program, "close")
}

await Effect.runPromise(Effect.provide(
  CozeOAuth.CozeOAuth.use((coze) => Effect.promise(() => check(coze))),
  CozeOAuth.layer()
))
