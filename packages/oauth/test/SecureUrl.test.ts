import { SecureUrl } from "@effect-identity/oauth"
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as fc from "fast-check"

const accepted = [
  "https://issuer.example/token",
  "https://issuer.example:8443/token?x=1",
  "http://localhost:1234/token",
  "http://127.0.0.1/token",
  "http://127.8.9.10/token",
  "http://[::1]:80/token"
]

const refused: ReadonlyArray<readonly [url: string, rule: RegExp]> = [
  ["", /absolute/],
  ["issuer.example/token", /absolute/],
  ["/token", /absolute/],
  ["http://issuer.example/token", /https/],
  ["http://localhost.example/token", /https/],
  ["http://127.0.0.1.example/token", /https/],
  ["http://10.0.0.1/token", /https/],
  ["http://[::ffff:7f00:1]/token", /https/],
  ["ftp://issuer.example/token", /https/],
  ["file:///etc/passwd", /https/],
  ["javascript:alert(1)", /https/],
  ["https://user@issuer.example/token", /user info/],
  ["https://user:password@issuer.example/token", /user info/],
  ["https://issuer.example/token#part", /fragment/]
]

describe("SecureUrl", () => {
  for (const url of accepted) {
    it(`accepts ${url}`, () => {
      assert.isTrue(Result.isSuccess(SecureUrl.parse(url)))
    })
  }

  for (const [url, rule] of refused) {
    it(`refuses ${JSON.stringify(url)}`, () => {
      const result = SecureUrl.parse(url)
      assert.isTrue(Result.isFailure(result))
      if (Result.isFailure(result)) assert.match(result.failure.rule, rule)
    })
  }

  it("knows the port of each scheme", () => {
    const portOf = (url: string) => Result.getOrThrow(SecureUrl.parse(url)).port
    assert.deepStrictEqual(["https://a/", "https://a:8443/", "http://localhost/"].map(portOf), [443, 8443, 80])
  })

  it("never accepts http to another host, whatever the text, and never quotes it", () =>
    fc.assert(fc.property(fc.oneof(fc.webUrl(), fc.string(), fc.string().map((text) => `http://${text}`)), (text) => {
      const result = SecureUrl.parse(text)
      if (Result.isFailure(result)) {
        assert.isTrue(text.length < 12 || !result.failure.message.includes(text))
        return
      }
      const { hostname, protocol } = new URL(result.success.href)
      const isLocal = ["localhost", "[::1]"].includes(hostname) || hostname.startsWith("127.")
      assert.isTrue(protocol === "https:" || (protocol === "http:" && isLocal))
    })))
})
