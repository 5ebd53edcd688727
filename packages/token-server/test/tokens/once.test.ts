import type { HandedOut } from "@effect-identity/token-server/internal/tokens/Tokens"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { Issuer } from "./Issuer.ts"
import * as Servers from "./Servers.ts"

const valueOf = ({ value }: HandedOut) => Redacted.value(value)

describe("a key that nobody has a token of", () => {
  it.live("is fetched once for 300 readers of three servers", () =>
    Effect.gen(function*() {
      const issuer = new Issuer()
      issuer.onIssue = Effect.sleep("50 millis")
      yield* Servers.saveRealm("wx")
      yield* Servers.saveSecret("wx", "app", "s1")
      const servers = yield* Effect.all([Servers.open(issuer), Servers.open(issuer), Servers.open(issuer)])
      const answers = yield* Effect.all(
        Array.from({ length: 100 }, () => servers.map((server) => server.get(Servers.app))).flat(),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(issuer.sent, 1)
      assert.deepStrictEqual(new Set(answers.map(valueOf)), new Set(["token-1"]))
      assert.deepStrictEqual(new Set(answers.map(({ source }) => source)), new Set(["upstream", "database"]))
    }).pipe(Effect.scoped, Effect.provide(Servers.layer)))
})
