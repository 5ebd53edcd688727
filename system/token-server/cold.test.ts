/**
 * Many callers, several servers, one key that nobody has asked for yet.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as KillingIssuer from "./KillingIssuer.ts"
import * as Server from "./Server.ts"
import * as Storage from "./Storage.ts"

const realm = (origin: string) => ({
  id: "wx",
  config: {
    preset: "wechat",
    url: `${origin}/cgi-bin/token`,
    private_addresses: [new URL(origin).host]
  }
})

const askAtOnce = Effect.fnUntraced(function*(env: Readonly<Record<string, string>>) {
  const issuer = yield* KillingIssuer.make({ life: 7_200_000, overlap: 300_000, pause: 200 })
  const { first, key, servers } = yield* Server.startThree(env)
  const saved = yield* Effect.promise(() => Server.ask(first.port, key, "POST", "/api/realm", realm(issuer.origin)))
  assert.strictEqual(saved.status, 200, JSON.stringify(saved.body))
  yield* Effect.promise(() =>
    Server.ask(first.port, key, "POST", "/api/secret", {
      realm: "wx",
      key: "app",
      key_1: "wx-app-id",
      key_2: "wx-secret-of-the-app"
    })
  )
  const answers = yield* Effect.promise(() =>
    Promise.all(
      servers.flatMap(({ port }) => Array.from({ length: 100 }, () => Server.token(port, key, "wx", "app", 20_000)))
    )
  )
  assert.deepStrictEqual([...new Set(answers.map(({ status }) => status))], [200])
  assert.strictEqual(new Set(answers.map(({ body }) => body["token"])).size, 1)
  assert.lengthOf(issuer.issued, 1)
})

describe("300 callers of a cold key on three servers", () => {
  it.live("cost one request on SQLite", () =>
    Effect.gen(function*() {
      yield* askAtOnce(yield* Storage.sqlite)
    }))

  it.live("cost one request on PostgreSQL", () =>
    Effect.gen(function*() {
      yield* askAtOnce((yield* Storage.postgres()).env)
    }))
})
