import * as FastLane from "@effect-identity/token-server/internal/http/FastLane"
import { Tokens } from "@effect-identity/token-server/internal/tokens/Tokens"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import * as fc from "fast-check"
import * as Http from "node:http"
import * as Memory from "../Memory.ts"
import * as Server from "../Server.ts"

const value = Redacted.make("t\"\\\u00e9\u{1f511}-0123456789")

/** What is handed out, whichever way it is asked for. */
const tokensOf = (persisted: boolean, isAtHand: boolean) => {
  const handed = { value, expiresIn: 7_199_999, source: "memory", persisted } as const
  return Layer.succeed(
    Tokens,
    Tokens.of({
      get: () => Effect.succeed(handed),
      flush: () => Effect.succeed(handed),
      report: () => Effect.succeed("not-current"),
      peekUnsafe: () => isAtHand ? handed : undefined,
      forget: () => Effect.void
    })
  )
}

/** The whole answer, head included, letter by letter, but for its date. */
const bytes = (port: number, path: string, key: string) =>
  Effect.promise(() => {
    const { promise, reject, resolve } = Promise.withResolvers<string>()
    Http.get({ port, path, headers: { authorization: `Bearer ${key}` } }, (response) => {
      let body = ""
      response.setEncoding("utf8").on("data", (chunk: string) => body += chunk)
      response.on("end", () => {
        const head = response.rawHeaders.map((each, index, all) => all[index - 1] === "Date" ? "" : each)
        resolve([response.httpVersion, response.statusCode, response.statusMessage, ...head, body].join("\n"))
      })
    }).on("error", reject)
    return promise
  })

const plain = "/api/token?realm=wx&key=app"

const answersOf = Effect.fnUntraced(function*(persisted: boolean, isAtHand: boolean) {
  const { key, port } = yield* Server.start(Layer.merge(Memory.layer, tokensOf(persisted, isAtHand)))
  const reader = yield* key("reader", ["wx"])
  // The first request of a key goes the full way, and is what the fast lane knows the key from.
  yield* bytes(port, plain, reader)
  return yield* Effect.forEach([
    plain,
    "/api/token?key=app&realm=wx",
    `${plain}&min_ttl=0`,
    `${plain}&min_ttl=3600000`,
    `${plain}&flush=false`,
    `${plain}&key=app`,
    `${plain}&min_ttl=-1`,
    `${plain}&other=1`,
    "/api/token?realm=other&key=app",
    "/api/token?realm=w%78&key=app",
    "/api/token?realm=wx.&key=app",
    "/api/token"
  ], (path) => bytes(port, path, reader))
})

describe("the fast lane", () => {
  it.live("answers what the full way answers, byte by byte", () =>
    Effect.gen(function*() {
      for (const persisted of [true, false]) {
        const fast = yield* answersOf(persisted, true)
        assert.deepEqual(fast, yield* answersOf(persisted, false))
        assert.include(
          fast[0],
          "{\"token\":\"t\\\"\\\\\u00e9\u{1f511}-0123456789\",\"expires_in\":7199999,\"source\":\"memory\""
        )
        assert.strictEqual(fast[0]?.endsWith(persisted ? "\"memory\"}" : "\"memory\",\"persisted\":false}"), true)
      }
    }))

  it("leaves every address that is not written plainly to the full way", () => {
    const part = fc.constantFrom(
      "realm=wx",
      "key=app",
      "min_ttl=10",
      "min_ttl=99999999999",
      "flush=true",
      "realm=",
      "key=a%62",
      "key=a+b",
      "__proto__=1",
      ""
    )
    fc.assert(fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
      const given = parts.toSorted().join("&")
      const isPlain = given === "key=app&realm=wx" || given === "key=app&min_ttl=10&realm=wx"
      assert.strictEqual(FastLane.parse(`/api/token?${parts.join("&")}`) !== undefined, isPlain)
    }))
  })
})
