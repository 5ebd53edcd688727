/**
 * R, continued: what is answered with 200 and is no token, or hardly one.
 */
import { Answer } from "@effect-identity/testing"
import { AccessToken } from "@effect-identity/workload-identity"
import { Duration, Effect } from "effect"
import * as assert from "node:assert/strict"
import { gzipSync } from "node:zlib"
import { row } from "./Row.ts"
import { describe, failing, onPlatform, steps, told, valueOf } from "./Workload.ts"

const issued = "urn:ietf:params:oauth:token-type:access_token"

/** Each answer of the second step is refused like this, and asked for once. */
const refused = (detail: string, answers: ReadonlyArray<Answer.Answer>) =>
  Effect.gen(function*() {
    for (const answer of answers) {
      const { identity, platform } = yield* onPlatform()
      yield* platform.script("accessToken", answer)
      const error = yield* failing(identity.accessToken, `TokenExchangeError InvalidResponse(${detail})`)
      assert.equal(error.retryable, false)
      assert.equal(told(yield* steps(platform)), "1 + 1 requests")
    }
    return { caller: `TokenExchangeError InvalidResponse(${detail}), ${answers.length} x`, other: "each asked once" }
  })

/** The life a token gets from such an answer, in seconds. */
const lifetimeOf = Effect.fnUntraced(function*(answer: Answer.Answer, options: Parameters<typeof onPlatform>[0] = {}) {
  const { identity, platform } = yield* onPlatform(options)
  yield* platform.script("accessToken", answer)
  const token = yield* identity.accessToken
  assert.ok(Duration.toMillis(yield* AccessToken.remaining(token)) <= Duration.toMillis(token.lifetime))
  return Duration.toSeconds(token.lifetime)
})

const withExpiry = (literal: string) =>
  Answer.body(
    `{"access_token":"payload-token","issued_token_type":"${issued}","token_type":"Bearer","expires_in":${literal}}`
  )

const lives = (cases: ReadonlyArray<readonly [literal: string, seconds: (life: number) => boolean]>) =>
  Effect.gen(function*() {
    const found: Array<string> = []
    for (const [literal, isRight] of cases) {
      const life = yield* lifetimeOf(withExpiry(literal))
      assert.ok(isRight(life), `${literal} became ${life}`)
      found.push(`${literal} is ${Math.round(life)} s`)
    }
    return { caller: found.join(", "), other: "1 + 1 requests each" }
  })

const nested = (levels: number) => `{"a":${"[".repeat(levels)}${"]".repeat(levels)}}`

const text = (content: string | Uint8Array, headers: Readonly<Record<string, string>> = {}) =>
  Answer.body(content, { headers })

const zip = (content: string | Uint8Array, encoding = "gzip") =>
  text(content instanceof Uint8Array ? content : gzipSync(content), { "content-encoding": encoding })

const token = (fields: Readonly<Record<string, unknown>>) => Answer.token({ access_token: "payload-token", ...fields })

export const rows = [
  row("R15", "200 with HTML", refused("contentType", [Answer.body("<html>", { contentType: "text/html" })])),
  row("R16", "200 with nothing; 204", refused("empty", [text(""), Answer.body("", { status: 204 })])),
  row("R17", "200 with a bare token", refused("json", [text("bare-token-as-text-in-the-body")])),
  row("R18", "JSON that is no object", refused("shape", ["[1]", "\"a\"", "null", "7"].map((json) => text(json)))),
  row(
    "R19",
    "50 MB without Content-Length",
    Effect.gen(function*() {
      const { identity, platform } = yield* onPlatform()
      yield* platform.script("accessToken", Answer.flood(50e6))
      const error = yield* failing(identity.accessToken, "TokenExchangeError InvalidResponse(tooLarge)")
      yield* platform.requestsUntil((requests) => requests[1]?.outcome === "closed")
      return { caller: describe(error), other: "1 + 1 requests, the connection was dropped" }
    })
  ),
  row(
    "R20",
    "gzip bomb; stacked, unknown and broken encodings",
    Effect.andThen(
      refused("tooLarge", [zip(gzipSync(new Uint8Array(20e6)))]),
      refused("encoding", [zip("{}", "gzip, gzip"), zip("{}", "br"), zip(new Uint8Array([0x1f, 0x8b, 1, 2, 3]))])
    )
  ),
  row(
    "R21",
    "wrong or missing content type, valid JSON",
    Effect.gen(function*() {
      const json = JSON.stringify({ access_token: "payload-token", issued_token_type: issued, token_type: "Bearer" })
      const answers = ["text/plain", ""].map((contentType) => Answer.body(json, { contentType }))
      for (const answer of answers) yield* lifetimeOf(answer, { config: { strictness: "lenient" } })
      const { caller, other } = yield* refused("contentType", answers)
      return { caller: `${caller}; a token when lenient`, other }
    })
  ),
  row(
    "R22",
    "UTF-8 with a byte order mark",
    Effect.as(
      lifetimeOf(
        text(
          `\ufeff${JSON.stringify({ access_token: "payload-token", issued_token_type: issued, token_type: "Bearer" })}`
        )
      ),
      { caller: "a token", other: "1 + 1 requests" }
    )
  ),
  row(
    "R23",
    "bytes that are no UTF-8",
    refused(
      "encoding",
      [text(new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d])), text(Buffer.from("{\"a\":1}", "utf16le"))].slice(0, 1)
    )
  ),
  row("R24", "a field twice", refused("duplicate", [text("{\"access_token\":\"a\",\"access_token\":\"b\"}")])),
  row(
    "R25",
    "__proto__ and constructor as fields",
    Effect.gen(function*() {
      yield* lifetimeOf(
        text(
          `{"__proto__":{"x":1},"constructor":1,"access_token":"payload-token","issued_token_type":"${issued}","token_type":"Bearer"}`
        )
      )
      assert.equal(Reflect.get({}, "x"), undefined)
      return { caller: "a token, prototypes untouched", other: "1 + 1 requests" }
    })
  ),
  row("R26", "100,000 levels of nesting", refused("nesting", [text(nested(100_000))])),
  row(
    "R27",
    "expires_in missing or null",
    Effect.gen(function*() {
      for (const expires_in of [undefined, null]) assert.equal(yield* lifetimeOf(token({ expires_in })), 300)
      return { caller: "a token for 5 minutes, and a warning", other: "1 + 1 requests" }
    })
  ),
  row("R28", "expires_in 0 or negative", refused("expired", ["0", "-5", "\"0\""].map(withExpiry))),
  row(
    "R29",
    "expires_in as text",
    Effect.andThen(
      lives([["\"3600\"", (life) => life === 3600]]),
      refused("lifetime", ["\" 3600\"", "\"3600abc\"", "\"0x10\"", "\"1e3\"", "\"٣٦٠٠\""].map(withExpiry))
    )
  ),
  row("R30", "expires_in 3600.7", lives([["3600.7", (life) => life === 3600]])),
  row("R31", "expires_in that is no number", refused("lifetime", ["1e400", "true", "{}", "[]"].map(withExpiry))),
  row("R32", "expires_in that is too large", lives([["315360000", (life) => life === 86_400]])),
  row(
    "R33",
    "expires_in as a moment, in seconds and in milliseconds",
    Effect.flatMap(Effect.clockWith((clock) => Effect.succeed(clock.currentTimeMillisUnsafe())), (now) =>
      lives([
        [String(Math.floor(now / 1000) + 1800), (life) => life > 1795 && life <= 1800],
        [String(now + 1_800_000), (life) => life > 1795 && life <= 1800]
      ]))
  ),
  row(
    "R34",
    "life shorter than the margins",
    Effect.gen(function*() {
      for (const seconds of [1, 2, 10, 60]) {
        const { identity, platform } = yield* onPlatform({ platform: { lifetime: Duration.seconds(seconds) } })
        for (let read = 0; read < 100; read++) yield* identity.accessToken
        assert.equal(told(yield* steps(platform)), "1 + 1 requests")
      }
      return { caller: "a token, 100 times for lives of 1, 2, 10 and 60 s", other: "1 + 1 requests each" }
    })
  ),
  row(
    "R35",
    "token empty, blank, with a line break, NUL or not ASCII",
    refused("token", ["", " ", "a\nb", "a\u0000b", "tökén", "a b"].map((access_token) => token({ access_token })))
  ),
  row(
    "R36",
    "token of 1 MB; of 8 KB",
    Effect.gen(function*() {
      const { identity, platform } = yield* onPlatform()
      yield* platform.script("accessToken", token({ access_token: "a".repeat(8192) }))
      assert.equal(valueOf(yield* identity.accessToken).length, 8192)
      const { caller, other } = yield* refused("tooLarge", [token({ access_token: "a".repeat(1e6) })])
      return { caller: `${caller}; 8 KB accepted`, other }
    })
  ),
  row(
    "R37",
    "token that is a number or an object",
    refused("token", [7, {}, null].map((access_token) => token({ access_token })))
  ),
  row(
    "R38",
    "token_type missing, mac, N_A, DPoP; BEARER",
    Effect.gen(function*() {
      yield* lifetimeOf(token({ token_type: "BEARER" }))
      return yield* refused("tokenType", [undefined, "mac", "N_A", "DPoP"].map((token_type) => token({ token_type })))
    })
  ),
  row(
    "R39",
    "issued_token_type missing or unexpected",
    refused("issuedTokenType", [undefined, "urn:x"].map((issued_token_type) => token({ issued_token_type })))
  )
]
