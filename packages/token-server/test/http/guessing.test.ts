import * as ApiKeyStore from "@effect-identity/token-server/internal/store/ApiKeyStore"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import * as Server from "../Server.ts"

const changed = (key: string, at: number): string =>
  `${key.slice(0, at)}${key[at] === "A" ? "B" : "A"}${key.slice(at + 1)}`

const leadingInCommon = (one: string, other: string): number => {
  let length = 0
  while (length < one.length && one[length] === other[length]) length++
  return length
}

describe("a key that is guessed", () => {
  it.live("gets the same answer however much of it is right, and is looked for by its digest alone", () =>
    Effect.gen(function*() {
      const context = yield* Layer.build(Server.real)
      const store = Context.get(context, ApiKeyStore.ApiKeyStore)
      const asked: Array<string> = []
      const watched = ApiKeyStore.ApiKeyStore.of({
        ...store,
        find: (digest) => {
          asked.push(digest)
          return store.find(digest)
        }
      })
      const { key, send } = yield* Server.start(
        Layer.succeedContext(Context.add(context, ApiKeyStore.ApiKeyStore, watched))
      )
      const good = yield* key("reader")
      const guesses = Array.from({ length: good.length - 4 }, (_, nth) => changed(good, nth + 4))
      assert.strictEqual((yield* send({ key: good, path: "/api/presets" })).status, 200)
      const answers = yield* Effect.forEach(guesses, (guess) => send({ key: guess, path: "/api/presets" }))
      const shown = answers.map(({ headers, status, text }) => JSON.stringify([status, { ...headers, date: "" }, text]))
      assert.strictEqual(new Set(shown).size, 1, [...new Set(shown)].join("\n"))
      assert.strictEqual(answers[0]?.status, 401)
      assert.lengthOf(asked, guesses.length + 1)
      // A character that is right brings nobody closer: digests begin alike by chance only.
      const [right = "", ...wrong] = asked
      assert.match(right, /^[\da-f]{64}$/)
      assert.isBelow(Math.max(...wrong.map((digest) => leadingInCommon(right, digest))), 8)
    }).pipe(Effect.scoped))
})
