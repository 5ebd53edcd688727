/**
 * A service that issues tokens of a Coze OAuth app, asked with curl. `CLIENT_ID`, `KID`, `PRIVATE_KEY` and `TOKEN_ENDPOINT`
 * say which app it is; who may ask is known by the digest of a key.
 */
import { NodeIssuer } from "@effect-identity/coze-issuer/node"
import { NodeRuntime } from "@effect/platform-node"
import { ConfigProvider, Console, Context, Effect, Layer } from "effect"
import { HttpServer } from "effect/http"
import { execFile } from "node:child_process"
import { createHash, randomBytes } from "node:crypto"
import { promisify } from "node:util"

const key = randomBytes(32).toString("base64url")

const environment = ConfigProvider.fromEnv({
  env: {
    ...process.env,
    CALLER_API_KEYS: `example:${createHash("sha256").update(key).digest("hex")}:sessions`,
    PORT: "0"
  }
})

const curl = (...args: ReadonlyArray<string>) =>
  Effect.promise(() => promisify(execFile)("curl", ["--silent", "--show-error", ...args]))

const program = Effect.gen(function*() {
  const issuer = yield* Layer.build(NodeIssuer.layer)
  const url = `${HttpServer.formatAddress(Context.get(issuer, HttpServer.HttpServer).address)}/`

  const stranger = yield* curl("-X", "POST", url)
  yield* Console.log(`curl -X POST <issuer>/\n  ${stranger.stdout}`)

  const known = yield* curl("-X", "POST", url, "-H", `Authorization: Bearer ${key}`, "-H", "X-User-ID: user123")
  const { access_token: token, ...rest } = JSON.parse(known.stdout)
  const shown = JSON.stringify({ access_token: `${token.slice(0, 4)}…`, ...rest })
  yield* Console.log(`curl -X POST <issuer>/ -H "Authorization: Bearer $KEY" -H "X-User-ID: user123"\n  ${shown}`)
})

NodeRuntime.runMain(
  Effect.scoped(program).pipe(
    Effect.provideService(ConfigProvider.ConfigProvider, environment)
  )
)
