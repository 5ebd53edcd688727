/**
 * The same answers, read by our reader and by `oauth4webapi`. Whatever the two decide differently has a line in the
 * table below with the reason; a difference without a line fails, and so does a line without a difference.
 */
import { type AccessToken, ClientCredentials, type OAuthError, Retry, SecureUrl } from "@effect-identity/oauth"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Exit, Logger, Option, Redacted, Result } from "effect"
import { HttpClient, HttpClientResponse } from "effect/http"
import * as fc from "fast-check"
import { processClientCredentialsResponse } from "oauth4webapi"

interface Sample {
  readonly status: number
  readonly contentType: string
  readonly body: Uint8Array
}

const toResponse = ({ body, contentType, status }: Sample) =>
  new Response(status === 204 ? null : new Uint8Array(body), { status, headers: { "content-type": contentType } })

const endpoint = { url: Result.getOrThrow(SecureUrl.parse("https://issuer.test/token")) }

const ours = (sample: Sample) =>
  Effect.runPromiseExit(
    ClientCredentials.token({ endpoint, clientId: "app", clientSecret: Redacted.make("client-secret") }).pipe(
      Retry.once,
      Effect.provideService(
        HttpClient.HttpClient,
        HttpClient.make((request) => Effect.succeed(HttpClientResponse.fromWeb(request, toResponse(sample))))
      ),
      Effect.provide(Logger.layer([]))
    )
  )

const theirs = async (sample: Sample): Promise<boolean> => {
  try {
    await processClientCredentialsResponse({ issuer: "https://issuer.test" }, { client_id: "app" }, toResponse(sample))
    return true
  } catch {
    return false
  }
}

const lenientText = (sample: Sample): string => new TextDecoder().decode(sample.body)

const fieldsOf = (sample: Sample): Readonly<Record<string, unknown>> => {
  try {
    const value: unknown = JSON.parse(lenientText(sample))
    return typeof value === "object" && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

const good = { access_token: "token", token_type: "Bearer", expires_in: 600 }

const sampleOf = (body: unknown, contentType = "application/json"): Sample => ({
  status: 200,
  contentType,
  body: body instanceof Uint8Array
    ? body
    : new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body))
})

const isEmptyCode = (value: unknown) => [undefined, null, "", 0, "0"].some((nothing) => nothing === value)

const depthOf = (value: unknown): number =>
  typeof value === "object" && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0

const isPast = (expiresIn: number): boolean => {
  const soon = Effect.runSync(Clock.currentTimeMillis) + 1000
  return (expiresIn >= 1e9 && expiresIn < 1e10 && expiresIn * 1000 <= soon)
    || (expiresIn >= 1e12 && expiresIn < 1e13 && expiresIn <= soon)
}

interface Difference {
  readonly what: string
  readonly we: "accept" | "refuse"
  readonly because: string
  readonly witness: Sample
  readonly explains: (fields: Readonly<Record<string, unknown>>, sample: Sample) => boolean
}

const differences: ReadonlyArray<Difference> = [
  {
    what: "JSON under another content type",
    we: "refuse",
    because: "RFC 6749 §5.1 names application/json; anything else is another page that happens to parse",
    witness: sampleOf(good, "text/plain"),
    explains: (_, { contentType }) => !/^application\/([\w.+-]+\+)?json\s*(;|$)/i.test(contentType)
  },
  {
    what: "an error beside a token",
    we: "refuse",
    because: "an answer that says both is not a token",
    witness: sampleOf({ ...good, error: "invalid_grant" }),
    explains: ({ error }) => error !== undefined && error !== null
  },
  {
    what: "a vendor's error code beside a token",
    we: "refuse",
    because: "the {code, msg} dialect reports failures under status 200",
    witness: sampleOf({ ...good, code: 4000 }),
    explains: ({ code, errcode, error_code }) => ![code, errcode, error_code].every(isEmptyCode)
  },
  {
    what: "a key given twice",
    we: "refuse",
    because: "which one counts is anyone's guess",
    witness: sampleOf(`{"access_token":"a",${JSON.stringify(good).slice(1)}`),
    explains: (fields, sample) => lenientText(sample).split(/"\s*:/).length - 1 > Object.keys(fields).length
  },
  {
    what: "a token no header could carry",
    we: "refuse",
    because: "RFC 6749 appendix A.12 and RFC 6750 §2.1: visible ASCII",
    witness: sampleOf({ ...good, access_token: "a b" }),
    explains: ({ access_token }) => typeof access_token === "string" && !/^[\x21-\x7e]+$/.test(access_token)
  },
  {
    what: "a token longer than 32 KiB",
    we: "refuse",
    because: "no server takes such a header",
    witness: sampleOf({ ...good, access_token: "x".repeat(40_000) }),
    explains: ({ access_token }) => typeof access_token === "string" && access_token.length > 32 * 1024
  },
  {
    what: "bytes that are not UTF-8",
    we: "refuse",
    because: "a replacement character inside a token makes another token",
    witness: sampleOf(Buffer.from(JSON.stringify({ ...good, scope: "\xff" }), "latin1")),
    explains: (_, sample) => {
      try {
        return new TextDecoder("utf-8", { fatal: true }).decode(sample.body).includes("\0")
      } catch {
        return true
      }
    }
  },
  {
    what: "nesting deeper than 32",
    we: "refuse",
    because: "no token answer is; whoever sends it is testing us",
    witness: sampleOf({ ...good, extra: JSON.parse("[".repeat(40) + "]".repeat(40)) }),
    explains: (fields) => depthOf(fields) > 32
  },
  {
    what: "a body larger than 256 KiB",
    we: "refuse",
    because: "memory is ours, not the server's",
    witness: sampleOf({ ...good, extra: "x".repeat(300_000) }),
    explains: (_, { body }) => body.length > 256 * 1024
  },
  {
    what: "a lifetime that is text with more than digits in it, or a list",
    we: "refuse",
    because: "reading the digits in front of \"3600abc\" is guessing",
    witness: sampleOf({ ...good, expires_in: "3600abc" }),
    explains: ({ expires_in }) =>
      typeof expires_in === "object" || (typeof expires_in === "string" && !/^[0-9]+$/.test(expires_in))
  },
  {
    what: "a lifetime below one second",
    we: "refuse",
    because: "a token that is over when it arrives would be asked for again at once, for ever",
    witness: sampleOf({ ...good, expires_in: 0 }),
    explains: ({ expires_in }) => Number(expires_in) < 1
  },
  {
    what: "a lifetime that is an absolute time in the past",
    we: "refuse",
    because: "numbers of that size are points in time, as some issuers send them, and this one is over",
    witness: sampleOf({ ...good, expires_in: 1_500_000_000 }),
    explains: ({ expires_in }) => isPast(Number(expires_in))
  },
  {
    what: "type DPoP",
    we: "refuse",
    because: "only a client that proves possession can use such a token (RFC 9449 §5)",
    witness: sampleOf({ ...good, token_type: "DPoP" }),
    explains: ({ token_type }) => typeof token_type === "string" && token_type.toLowerCase() === "dpop"
  },
  {
    what: "a lifetime of null",
    we: "accept",
    because: "null is how serialisers write an absent field; a short default applies",
    witness: sampleOf({ ...good, expires_in: null }),
    explains: ({ expires_in }) => expires_in === null
  },
  {
    what: "fields we never use, of the wrong type",
    we: "accept",
    because: "scope, refresh_token and id_token play no part in these grants",
    witness: sampleOf({ ...good, scope: null }),
    explains: ({ id_token, refresh_token, scope }) =>
      (scope !== undefined && typeof scope !== "string")
      || (refresh_token !== undefined && (typeof refresh_token !== "string" || refresh_token === ""))
      || id_token !== undefined
  }
]

const assertWellFormed = (exit: Exit.Exit<AccessToken.AccessToken, OAuthError.OAuthError>, sample: Sample) => {
  if (Exit.isFailure(exit)) {
    assert.isTrue(Option.isSome(Exit.findErrorOption(exit)), "a defect instead of a typed failure")
    return
  }
  const seconds = Duration.toSeconds(exit.value.lifetime)
  assert.isTrue(Number.isInteger(seconds) && seconds >= 1 && seconds <= 86_400, `lifetime ${seconds}`)
  const { access_token, error } = fieldsOf(sample)
  assert.strictEqual(sample.status, 200)
  assert.isNull(error ?? null)
  assert.strictEqual(Redacted.value(exit.value.value), access_token)
}

const assertExplained = async (sample: Sample) => {
  const exit = await ours(sample)
  assertWellFormed(exit, sample)
  const we = Exit.isSuccess(exit) ? "accept" : "refuse"
  const they = await theirs(sample) ? "accept" : "refuse"
  if (we === they) return
  const fields = fieldsOf(sample)
  const explanation = differences.find((difference) => difference.we === we && difference.explains(fields, sample))
  assert.isDefined(explanation, `we ${we}, they ${they}: ${lenientText(sample).slice(0, 300)}`)
}

const lifetimes = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.constantFrom<unknown>(
    0,
    -0,
    1,
    0.5,
    3600.7,
    1e308,
    2 ** 53 + 1,
    1_700_000_000,
    1_700_000_000_000,
    null,
    true,
    "",
    "600"
  ),
  fc.constantFrom<unknown>(" 600", "600abc", "0x10", "1e3", "٦٠٠", "-5", "Infinity", "9".repeat(400), [600], {}),
  fc.string()
)

const documents = fc.record({
  access_token: fc.oneof(
    fc.string(),
    fc.base64String({ minLength: 1 }),
    fc.constantFrom<unknown>("token", "", null, 42, {}, "a b")
  ),
  token_type: fc.oneof(
    fc.constantFrom<unknown>("Bearer", "bearer", "BEARER", "mac", "DPoP", "N_A", null, 1),
    fc.string()
  ),
  expires_in: lifetimes,
  scope: fc.oneof(fc.string(), fc.constantFrom<unknown>(null, 1, [])),
  refresh_token: fc.oneof(fc.string(), fc.constant(null)),
  issued_token_type: fc.string(),
  error: fc.oneof(fc.string(), fc.constantFrom<unknown>(null, "invalid_grant", {}, 1)),
  code: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constantFrom<unknown>("0", "", null, "E1")),
  __proto__: fc.jsonValue(),
  extra: fc.jsonValue()
}, { requiredKeys: [] })

const statuses = fc.oneof({ weight: 8, arbitrary: fc.constant(200) }, {
  weight: 1,
  arbitrary: fc.constantFrom(201, 204, 302, 400, 401, 429, 503)
})
const contentTypes = fc.oneof(
  { weight: 8, arbitrary: fc.constant("application/json") },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "application/json; charset=utf-8",
      "APPLICATION/JSON",
      "application/x+json",
      "text/html",
      "text/json"
    )
  }
)

const mutated = fc.tuple(
  documents,
  fc.array(fc.tuple(fc.nat({ max: 400 }), fc.integer({ min: 0, max: 255 })), { maxLength: 3 })
).map(([document, edits]) => {
  const bytes = new TextEncoder().encode(JSON.stringify({ ...good, ...document }))
  for (const [position, byte] of edits) bytes[position % bytes.length] = byte
  return bytes
})

const bodies = fc.oneof(
  documents.map((document) => new TextEncoder().encode(JSON.stringify(document))),
  documents.map((document) => new TextEncoder().encode(JSON.stringify({ ...good, ...document }))),
  mutated,
  fc.json().map((json) => new TextEncoder().encode(json)),
  fc.uint8Array()
)

describe("the reader of token answers", () => {
  for (const { because, we, what, witness } of differences) {
    it(`${we}s ${what}, unlike oauth4webapi: ${because}`, async () => {
      const exit = await ours(witness)
      assert.strictEqual(Exit.isSuccess(exit) ? "accept" : "refuse", we)
      assert.strictEqual(await theirs(witness) ? "accept" : "refuse", we === "accept" ? "refuse" : "accept")
    })
  }

  it("agrees with oauth4webapi on everything else, and never makes a token of a refused or malformed answer", () =>
    fc.assert(
      fc.asyncProperty(fc.record({ status: statuses, contentType: contentTypes, body: bodies }), assertExplained),
      { numRuns: 4000 }
    ))
})
