import { CozeOAuth } from "@effect-identity/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as jose from "jose"
import { createServer } from "node:http"
import { as, ask, callers, entries, keys } from "./Entry.ts"

const layer = CozeOAuth.layer()

/** Believes everybody, and writes down what it was shown: for more requests than one would want to look at. */
const listener = Effect.acquireRelease(
  Effect.callback<{
    readonly tokenEndpoint: string
    readonly authorizations: ReadonlyArray<string>
    readonly close: () => void
  }>((resume) => {
    const authorizations: Array<string> = []
    const body = JSON.stringify({ access_token: "czs_x", expires_in: 4_000_000_000 })
    const server = createServer((request, response) => {
      authorizations.push(request.headers.authorization ?? "")
      request.resume()
      response.setHeader("content-type", "application/json").end(body)
    })
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      resume(Effect.succeed({
        tokenEndpoint: `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}/token`,
        authorizations,
        close: () => {
          server.closeAllConnections()
          server.close()
        }
      }))
    })
  }),
  ({ close }) => Effect.sync(close)
)

describe("the identifier of an assertion", () => {
  for (const entry of entries) {
    it.live(`W10: is used in one assertion of 10,000 on ${entry.name}`, () =>
      Effect.gen(function*() {
        const { authorizations, tokenEndpoint } = yield* listener
        const { env } = yield* CozeOAuth.CozeOAuth
        const { origin } = yield* Effect.orDie(
          entry.start({ ...env, ...callers, TOKEN_ENDPOINT: tokenEndpoint })
        )
        const sessions = Array.from({ length: 10_000 }, (_, index) => `user-${index}`)
        yield* Effect.forEach(sessions, (session) => ask(`${origin}/`, as(keys.any, { "x-user-id": session })), {
          concurrency: 50,
          discard: true
        })
        assert.lengthOf(authorizations, 10_000)
        assert.strictEqual(new Set(authorizations.map((header) => jose.decodeJwt(header.slice(7)).jti)).size, 10_000)
      }).pipe(Effect.provide(layer)), 600_000)
  }
})
