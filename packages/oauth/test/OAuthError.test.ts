import { OAuthError, SecureRequest } from "@effect-identity/oauth"
import { assert, describe, it } from "@effect/vitest"

const {
  Closed,
  InvalidResponse,
  OAuth,
  Proxy,
  Status,
  Throttled,
  Timeout,
  Tls,
  Transport,
  Unexpected
} = OAuthError

const errorOf = (reason: OAuthError.Reason) =>
  new OAuthError.OAuthError({ operation: "clientCredentials", reason, requestId: undefined })

const refusal = (fields: Partial<{ status: number; code: string; apiCode: number | string; description: string }>) =>
  new OAuth({ status: 400, code: undefined, apiCode: undefined, description: undefined, ...fields })

const flaw = (detail: OAuthError.Flaw) => new InvalidResponse({ status: 200, detail })

describe("OAuthError", () => {
  for (
    const [reason, message, isRetryable] of [
      [new Transport({ detail: "refused" }), "connection failed (refused)", true],
      [new Transport({ detail: "dns" }), "connection failed (dns)", true],
      [new Transport({ detail: "dns", isPermanent: true }), "connection failed (dns)", false],
      [new Timeout({ detail: "connect" }), "timed out while connecting", true],
      [new Timeout({ detail: "headers" }), "timed out while waiting for an answer", true],
      [new Timeout({ detail: "body" }), "timed out in the middle of the answer", true],
      [new Timeout({ detail: "total" }), "timed out", true],
      [new Tls({ detail: "untrusted" }), "TLS failed (untrusted)", false],
      [
        new Tls({ detail: "expired" }),
        "TLS failed (certificate expired or not yet valid, or the local clock is wrong)",
        false
      ],
      [new Proxy({ detail: "unreachable", status: undefined }), "proxy failed (unreachable)", true],
      [new Proxy({ detail: "timeout", status: undefined }), "proxy failed (timeout)", true],
      [new Proxy({ detail: "tls", status: undefined }), "proxy failed (tls)", false],
      [new Proxy({ detail: "authentication", status: 407 }), "proxy failed (authentication, HTTP 407)", false],
      [new Proxy({ detail: "status", status: 502 }), "proxy failed (status, HTTP 502)", true],
      [new Proxy({ detail: "status", status: 403 }), "proxy failed (status, HTTP 403)", false],
      [new Status({ status: 299 }), "HTTP 299", false],
      [new Status({ status: 300 }), "HTTP 300 (redirects are not followed)", false],
      [new Status({ status: 399 }), "HTTP 399 (redirects are not followed)", false],
      [new Status({ status: 400 }), "HTTP 400", false],
      [new Status({ status: 429 }), "HTTP 429", true],
      [new Status({ status: 499 }), "HTTP 499", false],
      [new Status({ status: 500 }), "HTTP 500", true],
      [new Status({ status: 501 }), "HTTP 501", false],
      [new Status({ status: 503 }), "HTTP 503", true],
      [new Throttled({ status: 429, code: undefined }), "throttled (HTTP 429)", true],
      [new Throttled({ status: 429, code: "slow_down" }), "throttled, slow_down (HTTP 429)", true],
      [refusal({}), "refused (HTTP 400)", false],
      [refusal({ code: "invalid_client" }), "invalid_client (HTTP 400)", false],
      [refusal({ code: "invalid_client", description: "no" }), "invalid_client: no (HTTP 400)", false],
      [refusal({ apiCode: 4100 }), "code 4100 (HTTP 400)", false],
      [refusal({ code: "temporarily_unavailable" }), "temporarily_unavailable (HTTP 400)", true],
      [refusal({ code: "server_error", status: 500 }), "server_error (HTTP 500)", true],
      [new Closed(), "the token cache is closed", false],
      [new Unexpected({ defect: "TypeError" }), "the source of the token is broken (TypeError)", false],
      [new InvalidResponse({ status: undefined, detail: "http" }), "invalid answer: not valid HTTP", false],
      [flaw("contentType"), "invalid answer: content type is not JSON (HTTP 200)", false],
      [flaw("duplicate"), "invalid answer: a field is given twice (HTTP 200)", false],
      [flaw("empty"), "invalid answer: body is empty (HTTP 200)", false],
      [
        flaw("encoding"),
        "invalid answer: body is not UTF-8, or its content encoding is broken or not supported (HTTP 200)",
        false
      ],
      [flaw("expired"), "invalid answer: token has already expired (HTTP 200)", false],
      [
        flaw("issuedTokenType"),
        "invalid answer: issued_token_type is missing or not an access token (HTTP 200)",
        false
      ],
      [flaw("json"), "invalid answer: body is not JSON (HTTP 200)", false],
      [flaw("lifetime"), "invalid answer: expires_in is not a number of seconds (HTTP 200)", false],
      [flaw("nesting"), "invalid answer: body is nested too deeply (HTTP 200)", false],
      [flaw("shape"), "invalid answer: body is not a JSON object (HTTP 200)", false],
      [flaw("token"), "invalid answer: access_token is missing or not a token (HTTP 200)", false],
      [flaw("tokenType"), "invalid answer: token_type is missing or not Bearer (HTTP 200)", false],
      [flaw("tooLarge"), "invalid answer: body or token is too large (HTTP 200)", false]
    ] as const
  ) {
    it(`says "${message}" and whether to come again: ${isRetryable}`, () => {
      const error = errorOf(reason)
      assert.strictEqual(error.message, `clientCredentials: ${message}`)
      assert.strictEqual(error.isRetryable, isRetryable)
      assert.strictEqual(error._tag, "OAuthError")
      assert.strictEqual(Reflect.get(OAuthError, reason._tag).name, reason._tag)
    })
  }
})

const coded = (code: string, more: object = {}) => Object.assign(new Error("secret text"), { code, ...more })

const wrapped = (error: unknown, times: number): unknown =>
  times === 0 ? error : new Error("outer", { cause: wrapped(error, times - 1) })

describe("SecureRequest.reasonOf", () => {
  for (
    const [code, expected] of [
      ["ECONNREFUSED", new Transport({ detail: "refused" })],
      ["ENOTFOUND", new Transport({ detail: "dns", isPermanent: true })],
      ["ENODATA", new Transport({ detail: "dns", isPermanent: true })],
      ["EAI_AGAIN", new Transport({ detail: "dns" })],
      ["ESERVFAIL", new Transport({ detail: "dns" })],
      ["EHOSTUNREACH", new Transport({ detail: "unreachable" })],
      ["ENETUNREACH", new Transport({ detail: "unreachable" })],
      ["EHOSTDOWN", new Transport({ detail: "unreachable" })],
      ["EADDRNOTAVAIL", new Transport({ detail: "unreachable" })],
      ["ERR_TOTAL_TIMEOUT", new Timeout({ detail: "total" })],
      ["ETIMEDOUT", new Timeout({ detail: "connect" })],
      ["UND_ERR_CONNECT_TIMEOUT", new Timeout({ detail: "connect" })],
      ["CERT_HAS_EXPIRED", new Tls({ detail: "expired" })],
      ["CERT_NOT_YET_VALID", new Tls({ detail: "expired" })],
      ["ERR_TLS_CERT_ALTNAME_INVALID", new Tls({ detail: "hostname" })],
      ["HOSTNAME_MISMATCH", new Tls({ detail: "hostname" })],
      ["CERT_UNTRUSTED", new Tls({ detail: "untrusted" })],
      ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", new Tls({ detail: "untrusted" })],
      ["DEPTH_ZERO_SELF_SIGNED_CERT", new Tls({ detail: "untrusted" })],
      ["SELF_SIGNED_CERT_IN_CHAIN", new Tls({ detail: "untrusted" })],
      ["INVALID_CA", new Tls({ detail: "untrusted" })],
      ["INVALID_PURPOSE", new Tls({ detail: "untrusted" })],
      ["PATH_LENGTH_EXCEEDED", new Tls({ detail: "untrusted" })],
      ["ERR_SSL_WRONG_VERSION_NUMBER", new Tls({ detail: "protocol" })],
      ["ERR_TLS_HANDSHAKE", new Tls({ detail: "protocol" })],
      ["EPROTO", new Tls({ detail: "protocol" })],
      ["HPE_HEADER_OVERFLOW", new InvalidResponse({ status: undefined, detail: "http" })],
      ["UND_ERR_HEADERS_OVERFLOW", new InvalidResponse({ status: undefined, detail: "http" })],
      ["ECONNRESET", new Transport({ detail: "reset" })],
      ["ECONNABORTED", new Transport({ detail: "reset" })],
      ["EPIPE", new Transport({ detail: "reset" })],
      ["UND_ERR_SOCKET", new Transport({ detail: "reset" })],
      // Whatever only looks like one of them.
      ["XECONNREFUSED", new Transport({ detail: "other" })],
      ["ECONNREFUSED2", new Transport({ detail: "other" })],
      ["XENOTFOUND", new Transport({ detail: "other" })],
      ["ENOTFOUNDX", new Transport({ detail: "other" })],
      ["ESERVFAILX", new Transport({ detail: "other" })],
      ["XEAI_AGAIN", new Transport({ detail: "other" })],
      ["XEHOSTUNREACH", new Transport({ detail: "other" })],
      ["EHOSTUNREACHX", new Transport({ detail: "other" })],
      ["EADDRNOTAVAILX", new Transport({ detail: "other" })],
      ["XEADDRNOTAVAIL", new Transport({ detail: "other" })],
      ["XETIMEDOUT", new Transport({ detail: "other" })],
      ["ETIMEDOUTX", new Transport({ detail: "other" })],
      ["XUND_ERR_CONNECT_TIMEOUT", new Transport({ detail: "other" })],
      ["UND_ERR_CONNECT_TIMEOUTX", new Transport({ detail: "other" })],
      ["ERR_TOTAL_TIMEOUTX", new Transport({ detail: "other" })],
      ["XERR_TOTAL_TIMEOUT", new Transport({ detail: "other" })],
      ["XHPE_INVALID", new Transport({ detail: "other" })],
      ["XEPROTO", new Transport({ detail: "other" })],
      ["EPROTOX", new Transport({ detail: "other" })],
      ["XERR_SSL_X", new Transport({ detail: "other" })],
      ["XINVALID_CA", new Transport({ detail: "other" })],
      ["XECONNRESET", new Transport({ detail: "other" })],
      ["ECONNRESETX", new Transport({ detail: "other" })],
      ["XEPIPE", new Transport({ detail: "other" })],
      ["EPIPEX", new Transport({ detail: "other" })],
      ["XUND_ERR_SOCKET", new Transport({ detail: "other" })],
      ["UND_ERR_SOCKETX", new Transport({ detail: "other" })],
      ["EWHATEVER", new Transport({ detail: "other" })]
    ] as const
  ) {
    it(`tells ${code} for what it is`, () => {
      assert.deepStrictEqual(SecureRequest.reasonOf(coded(code)), expected)
    })
  }

  it("looks at the causes of causes, and not for ever", () => {
    const refused = new Transport({ detail: "refused" })
    assert.deepStrictEqual(SecureRequest.reasonOf(wrapped(coded("ECONNREFUSED"), 8)), refused)
    assert.deepStrictEqual(
      SecureRequest.reasonOf(wrapped(coded("ECONNREFUSED"), 9)),
      new Transport({ detail: "other" })
    )
  })

  it("looks at every attempt there was", () => {
    const attempts = new AggregateError([coded("EHOSTX"), coded("ECONNREFUSED")])
    assert.deepStrictEqual(SecureRequest.reasonOf(wrapped(attempts, 1)), new Transport({ detail: "refused" }))
  })

  for (const nothing of [undefined, null, "ECONNREFUSED", 7, {}, { code: 7 }, { cause: "x" }]) {
    it(`makes nothing of ${JSON.stringify(nothing)}`, () => {
      assert.deepStrictEqual(SecureRequest.reasonOf(nothing), new Transport({ detail: "other" }))
    })
  }

  for (const detail of ["authentication", "status", "unreachable", "tls", "timeout"] as const) {
    it(`tells that a proxy failed: ${detail}`, () => {
      const error = coded("ERR_PROXY", { detail, status: 407 })
      const expected = new Proxy({ detail, status: 407 })
      assert.deepStrictEqual(SecureRequest.reasonOf(error), expected)
      assert.deepStrictEqual(SecureRequest.reasonOf(wrapped(error, 8)), expected)
      assert.deepStrictEqual(SecureRequest.reasonOf(wrapped(error, 9)), new Transport({ detail: "other" }))
    })
  }

  it("does not take a proxy's word for a word of ours", () => {
    const expected = new Proxy({ detail: "unreachable", status: undefined })
    assert.deepStrictEqual(SecureRequest.reasonOf(coded("ERR_PROXY", { detail: "secret", status: "x" })), expected)
    assert.deepStrictEqual(SecureRequest.reasonOf(coded("ERR_PROXY")), new Transport({ detail: "other" }))
    assert.deepStrictEqual(SecureRequest.reasonOf(coded("E", { detail: "tls" })), new Transport({ detail: "other" }))
  })
})
