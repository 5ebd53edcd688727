import { SecureRequest } from "@effect-identity/oauth"
import { ConnectProxy, SecretSweep } from "@effect-identity/testing"
import * as CertificateAuthority from "@effect-identity/testing/CertificateAuthority"
import { ProxyConfig, ProxyHttpClient } from "@effect-identity/workload-identity/node"
import { assert, describe, it } from "@effect/vitest"
import { Cause, ConfigProvider, Effect, Layer } from "effect"
import { HttpClientRequest } from "effect/http"
import * as Http from "node:http"
import * as Https from "node:https"

const ticket = "ticket with blanks/+&%ä-5e1c"
const bearer = "third-party-bearer-7d31"

interface Origin {
  readonly url: string
  readonly seen: ReadonlyArray<{ readonly headers: Http.IncomingHttpHeaders; readonly body: string }>
}

/** A third party: answers with what it was sent, and remembers it. */
const makeOrigin = (identity?: CertificateAuthority.Identity) =>
  Effect.acquireRelease(
    Effect.callback<Origin & { readonly stop: () => void }>((resume) => {
      const seen: Array<{ readonly headers: Http.IncomingHttpHeaders; readonly body: string }> = []
      const answer: Http.RequestListener = (request, response) => {
        let body = ""
        request.setEncoding("utf8").on("data", (chunk) => {
          body += chunk
        }).on("end", () => {
          seen.push({ headers: request.headers, body })
          response.end("hello")
        })
      }
      const server = identity === undefined ? Http.createServer(answer) : Https.createServer({ ...identity }, answer)
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        const url = `${identity === undefined ? "http" : "https"}://localhost:${port}/api`
        const stop = () => {
          server.closeAllConnections()
          server.close()
        }
        resume(Effect.succeed({ url, seen, stop }))
      })
    }),
    ({ stop }) => Effect.sync(stop)
  )

const layer = (env: Readonly<Record<string, string>>, connectTimeout = 5000) =>
  ProxyHttpClient.layer({ connectTimeout }).pipe(
    Layer.provide(ProxyConfig.layer),
    Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnvRecord(env)))
  )

const post = (url: string) =>
  Effect.flatMap(ProxyHttpClient.ProxyHttpClient, (client) =>
    client.execute(
      HttpClientRequest.post(url).pipe(
        HttpClientRequest.bearerToken(bearer),
        HttpClientRequest.bodyUrlParams({ form: "form-content-91ac" })
      )
    )).pipe(Effect.flatMap((response) => response.text))

const credentials = { user: "space", password: ticket }

const setUp = Effect.fnUntraced(
  function*(options: { readonly tlsProxy?: boolean; readonly names?: ReadonlyArray<string> } = {}) {
    const authority = yield* CertificateAuthority.make
    const origin = yield* makeOrigin(yield* authority.issue(options.names ?? ["localhost"]))
    const proxy = yield* ConnectProxy.make({
      credentials,
      identity: options.tlsProxy === true ? yield* authority.issue(["127.0.0.1"]) : undefined
    })
    const env = {
      COZE_OUTBOUND_AUTH_PROXY: proxy.url,
      identity_ticket: ticket,
      COZE_OUTBOUND_AUTH_PROXY_CA: authority.cert
    }
    return { authority, origin, proxy, env }
  }
)

const assertNothingLeaked = (error: unknown) => {
  const secrets = { ticket, basic: Buffer.from(`space:${ticket}`).toString("base64") }
  assert.deepStrictEqual(SecretSweep.find(error, secrets), [])
  assert.deepStrictEqual(SecretSweep.find(Cause.pretty(Cause.fail(error)), secrets), [])
}

describe("ProxyHttpClient", () => {
  for (const tlsProxy of [false, true]) {
    it.live(`tunnels to a TLS origin through ${tlsProxy ? "a TLS" : "a plain"} proxy, each seeing its own only`, () =>
      Effect.gen(function*() {
        const { env, origin, proxy } = yield* setUp({ tlsProxy })
        assert.strictEqual(yield* Effect.provide(post(origin.url), layer(env)), "hello")
        const [tunnel] = proxy.tunnels
        assert.strictEqual(tunnel?.authority, new URL(origin.url).host)
        assert.strictEqual(
          tunnel?.headers["proxy-authorization"],
          `Basic ${Buffer.from(`space:${ticket}`).toString("base64")}`
        )
        assert.deepStrictEqual(SecretSweep.find(tunnel?.bytes, { bearer, form: "form-content-91ac" }), [])
        assert.isUndefined(tunnel?.headers["authorization"])
        assert.deepStrictEqual(origin.seen.map(({ body }) => body), ["form=form-content-91ac"])
        assert.isUndefined(origin.seen[0]?.headers["proxy-authorization"])
        assert.strictEqual(origin.seen[0]?.headers["authorization"], `Bearer ${bearer}`)
      }).pipe(Effect.scoped))
  }

  it.live("tunnels to a plain origin as well", () =>
    Effect.gen(function*() {
      const { env, proxy } = yield* setUp()
      const origin = yield* makeOrigin()
      assert.strictEqual(yield* Effect.provide(post(origin.url), layer(env)), "hello")
      assert.lengthOf(proxy.tunnels, 1)
      assert.isUndefined(origin.seen[0]?.headers["proxy-authorization"])
    }).pipe(Effect.scoped))

  it.live("keeps a tunnel for the next request", () =>
    Effect.gen(function*() {
      const { env, origin, proxy } = yield* setUp()
      yield* Effect.provide(Effect.all([post(origin.url), post(origin.url)]), layer(env))
      assert.lengthOf(origin.seen, 2)
      assert.lengthOf(proxy.tunnels, 1)
    }).pipe(Effect.scoped))

  it.live("connects directly when there is no proxy, trusting the certificates all the same", () =>
    Effect.gen(function*() {
      const { env: { COZE_OUTBOUND_AUTH_PROXY_CA }, origin, proxy } = yield* setUp()
      assert.strictEqual(yield* Effect.provide(post(origin.url), layer({ COZE_OUTBOUND_AUTH_PROXY_CA })), "hello")
      assert.lengthOf(proxy.tunnels, 0)
    }).pipe(Effect.scoped))

  describe("failing", () => {
    const failure = Effect.fnUntraced(
      function*(url: string, env: Readonly<Record<string, string>>, connectTimeout?: number) {
        const error = yield* Effect.flip(Effect.provide(post(url), layer(env, connectTimeout)))
        assertNothingLeaked(error)
        const reason = error._tag === "HttpClientError" ? SecureRequest.reasonOf(error) : undefined
        return reason?._tag === "Proxy" ? [reason.detail, reason.status] : [reason?._tag, reason?.message]
      }
    )

    for (
      const [row, status, expected] of [
        ["N17", 407, ["authentication", 407]],
        ["N17", 401, ["authentication", 401]],
        ["N19", 403, ["status", 403]],
        ["N19", 502, ["status", 502]],
        ["N19", 503, ["status", 503]]
      ] as const
    ) {
      it.live(`${row}: keeps the ${status} of a proxy, and does not go around it`, () =>
        Effect.gen(function*() {
          const { env, origin, proxy } = yield* setUp()
          proxy.behave(status)
          assert.deepStrictEqual<unknown>(yield* failure(origin.url, env), expected)
          assert.lengthOf(origin.seen, 0)
        }).pipe(Effect.scoped))
    }

    it.live("N17: names a ticket that the proxy does not take", () =>
      Effect.gen(function*() {
        const { env, origin } = yield* setUp()
        assert.deepStrictEqual(yield* failure(origin.url, { ...env, identity_ticket: "wrong" }), [
          "authentication",
          407
        ])
        assert.lengthOf(origin.seen, 0)
      }).pipe(Effect.scoped))

    it.live("N18: gives up on a proxy that never answers CONNECT", () =>
      Effect.gen(function*() {
        const { env, origin, proxy } = yield* setUp()
        proxy.behave("silence")
        assert.deepStrictEqual(yield* failure(origin.url, env, 100), ["timeout", undefined])
        assert.lengthOf(origin.seen, 0)
      }).pipe(Effect.scoped))

    it.live("N20: names a proxy that is not there, and does not go around it", () =>
      Effect.gen(function*() {
        const { env, origin } = yield* setUp()
        const gone = { ...env, COZE_OUTBOUND_AUTH_PROXY: "http://127.0.0.1:1" }
        assert.deepStrictEqual(yield* failure(origin.url, gone), ["unreachable", undefined])
        assert.lengthOf(origin.seen, 0)
      }).pipe(Effect.scoped))

    it.live("N21: does not trust a private authority that is not configured", () =>
      Effect.gen(function*() {
        const { env: { COZE_OUTBOUND_AUTH_PROXY_CA: _, ...env }, origin } = yield* setUp()
        assert.deepStrictEqual(yield* failure(origin.url, env), ["Tls", "TLS failed (untrusted)"])
        assert.lengthOf(origin.seen, 0)
      }).pipe(Effect.scoped))

    it.live("N22: names a proxy that cannot prove who it is", () =>
      Effect.gen(function*() {
        const { env: { COZE_OUTBOUND_AUTH_PROXY_CA: _, ...env }, origin } = yield* setUp({ tlsProxy: true })
        assert.deepStrictEqual(yield* failure(origin.url, env), ["tls", undefined])
        assert.lengthOf(origin.seen, 0)
      }).pipe(Effect.scoped))

    it.live("N14: does not take a certificate of another host", () =>
      Effect.gen(function*() {
        const { env, origin } = yield* setUp({ names: ["elsewhere.example"] })
        assert.deepStrictEqual(yield* failure(origin.url, env), ["Tls", "TLS failed (hostname)"])
      }).pipe(Effect.scoped))
  })
})
