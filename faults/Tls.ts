/**
 * N, continued: certificates and proxies.
 */
import { SecureRequest } from "@effect-identity/oauth"
import { ConnectProxy } from "@effect-identity/testing"
import * as CertificateAuthority from "@effect-identity/testing/CertificateAuthority"
import { ProxyConfig, ProxyHttpClient } from "@effect-identity/workload-identity/node"
import { ConfigProvider, Effect, Layer } from "effect"
import { HttpClient, HttpClientError, HttpClientRequest } from "effect/http"
import * as assert from "node:assert/strict"
import * as Https from "node:https"
import { getCACertificates, setDefaultCACertificates } from "node:tls"
import * as RawServer from "./RawServer.ts"
import { row } from "./Row.ts"
import { describe, envAt, failing, failure, identityOf, onPlatform } from "./Workload.ts"

interface Options extends Https.ServerOptions {}

/** A TLS server that counts the requests it could read. */
const serve = (options: Options) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<{ readonly server: Https.Server; readonly port: number; readonly count: () => number }>(
        (resume) => {
          let requests = 0
          const server = Https.createServer(options, (_, response) => {
            requests++
            response.end("fine")
          })
          server.on("tlsClientError", () => {})
          server.listen(0, "127.0.0.1", () => {
            const address = server.address()
            const port = typeof address === "object" && address !== null ? address.port : 0
            resume(Effect.succeed({ server, port, count: () => requests }))
          })
        }
      ),
      ({ server }) =>
        Effect.sync(() => {
          server.closeAllConnections()
          server.close()
        })
    ),
    ({ count, port }) => ({ count, port, origin: `https://localhost:${port}` })
  )

/** One authority that this process trusts like any other. */
const trusted = Effect.runSync(
  Effect.cached(
    Effect.tap(
      CertificateAuthority.make,
      ({ cert }) => Effect.sync(() => setDefaultCACertificates([...getCACertificates("default"), cert]))
    )
  )
)

/** Valid between so many days from now. */
const validBetween = (from: number, to: number) =>
  Effect.flatMap(trusted, ({ issue }) => issue(["localhost"], { validFrom: from, validTo: to }))

const handshake = (
  options: Effect.Effect<Options>,
  expected: string
) =>
  Effect.gen(function*() {
    const server = yield* serve(yield* options)
    const identity = yield* identityOf(envAt(server.origin))
    const error = yield* failing(identity.accessToken, `TokenRetrievalError ${expected}`)
    assert.equal(server.count(), 0)
    assert.equal(error.retryable, false)
    return { caller: `${describe(error)}: ${error.message}`, other: "no request, no byte of a secret" }
  })

/** A third party behind a proxy, and what asking it comes to. */
const throughProxy = Effect.fnUntraced(function*(options: {
  readonly behaviour?: ConnectProxy.Behaviour
  readonly withCa?: boolean
  readonly password?: string
  readonly proxyUrl?: string
  readonly tlsProxy?: boolean
}) {
  const authority = yield* CertificateAuthority.make
  const origin = yield* serve(yield* authority.issue(["api.example.com"]))
  const proxy = yield* ConnectProxy.make({
    credentials: { user: "space", password: "proxy-ticket-5a1c" },
    standIns: { "api.example.com:443": origin.port },
    ...(options.tlsProxy === true && { identity: yield* (yield* CertificateAuthority.make).issue(["127.0.0.1"]) })
  })
  proxy.behave(options.behaviour ?? "tunnel")
  const layer = ProxyHttpClient.layer({ connectTimeout: 300 }).pipe(
    Layer.provide(ProxyConfig.layer),
    Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnvRecord({
      COZE_OUTBOUND_AUTH_PROXY: options.proxyUrl ?? proxy.url,
      identity_ticket: options.password ?? "proxy-ticket-5a1c",
      ...(options.withCa !== false && { COZE_OUTBOUND_AUTH_PROXY_CA: authority.cert })
    })))
  )
  const result = yield* ProxyHttpClient.ProxyHttpClient.use((client) =>
    client.execute(HttpClientRequest.bearerToken(HttpClientRequest.get("https://api.example.com/"), "api-token-77"))
  ).pipe(
    Effect.map(({ status }) => `HTTP ${status}`),
    Effect.catchTag("HttpClientError", (error) => Effect.succeed(describe(ProxyHttpClient.toError(error)))),
    Effect.provide(layer),
    Effect.scoped
  )
  return { result, origin, proxy }
})

const proxyRow = (id: string, fault: string, options: Parameters<typeof throughProxy>[0], expected: RegExp) =>
  row(
    id,
    fault,
    Effect.gen(function*() {
      const { origin, proxy, result } = yield* throughProxy(options)
      assert.match(result, expected)
      const reached = expected.source.startsWith("^HTTP")
      assert.equal(origin.count(), reached ? 1 : 0)
      assert.ok(proxy.tunnels.every(({ bytes }) => !bytes.includes("api-token-77")), "the token was shown to the proxy")
      return { caller: result, other: `proxy saw ${proxy.tunnels.length} CONNECT, origin ${origin.count()} requests` }
    })
  )

const flaky = (code: string) =>
  Effect.gen(function*() {
    let attempts = 0
    const client = HttpClient.make((request) => {
      attempts++
      const cause = Object.assign(new Error("lookup"), { code })
      return Effect.fail(
        new HttpClientError.HttpClientError({ reason: new HttpClientError.TransportError({ request, cause }) })
      )
    })
    const error = yield* failure(
      Effect.provideService(
        SecureRequest.send(HttpClientRequest.get("https://api.example/"), { secrets: [] }),
        HttpClient.HttpClient,
        client
      )
    )
    return { reason: error.reason, attempts }
  })

export const rows = [
  row(
    "N10",
    "resolver says try again",
    Effect.gen(function*() {
      const { reason } = yield* flaky("EAI_AGAIN")
      assert.equal(reason.message, "connection failed (dns)")
      assert.ok(reason._tag === "Transport" && reason.isPermanent !== true)
      return { caller: "Transport(dns), retryable", other: "error code of a resolver, simulated" }
    })
  ),
  row(
    "N12",
    "TLS: unknown authority",
    handshake(Effect.flatMap(CertificateAuthority.make, ({ issue }) => issue(["localhost"])), "Tls(untrusted)")
  ),
  row(
    "N13",
    "TLS: certificate expired, or not valid yet",
    Effect.gen(function*() {
      yield* handshake(validBetween(1, 2), "Tls(expired)")
      return yield* handshake(validBetween(-3, -2), "Tls(expired)")
    })
  ),
  row(
    "N14",
    "TLS: certificate of another host",
    handshake(Effect.flatMap(trusted, ({ issue }) => issue(["other.example"])), "Tls(hostname)")
  ),
  row(
    "N15",
    "TLS: old protocol only; a handshake that never ends",
    Effect.gen(function*() {
      const old = Effect.map(Effect.flatMap(trusted, ({ issue }) => issue(["localhost"])), (identity): Options => ({
        ...identity,
        maxVersion: "TLSv1.1",
        minVersion: "TLSv1",
        ciphers: "ALL:@SECLEVEL=0"
      }))
      const seen = yield* handshake(old, "Tls(protocol)")
      const mute = yield* RawServer.make(() => {})
      const identity = yield* identityOf(envAt(mute.origin.replace("http:", "https:")), {
        config: { connectTimeout: "200 millis" }
      })
      const error = yield* failing(identity.accessToken, "TokenRetrievalError Timeout(connect)")
      assert.equal(mute.seen.length, 3)
      return { caller: `${seen.caller}; ${describe(error)}`, other: `${seen.other}; 3 connections` }
    })
  ),
  row(
    "N16",
    "plain HTTP on the TLS port",
    Effect.gen(function*() {
      const { platform } = yield* onPlatform()
      const identity = yield* identityOf(envAt(`https://127.0.0.1:${new URL(platform.idTokenEndpoint).port}`))
      const error = yield* failing(identity.accessToken, "TokenRetrievalError Tls(protocol)")
      assert.equal(error.retryable, false)
      assert.equal((yield* platform.requests).length, 0)
      return { caller: describe(error), other: "0 requests" }
    })
  ),
  proxyRow(
    "N17",
    "proxy wants other credentials",
    { password: "wrong-ticket" },
    /^WorkloadIdentityError Proxy\(authentication\)$/
  ),
  proxyRow("N18", "proxy never answers CONNECT", { behaviour: "silence" }, /^WorkloadIdentityError Proxy\(timeout\)$/),
  proxyRow("N19", "proxy refuses CONNECT with 502", { behaviour: 502 }, /^WorkloadIdentityError Proxy\(status\)$/),
  proxyRow(
    "N20",
    "proxy cannot be reached",
    { proxyUrl: "http://127.0.0.1:1" },
    /^WorkloadIdentityError Proxy\(unreachable\)$/
  ),
  proxyRow("N21", "origin re-signed, its authority configured", {}, /^HTTP 200$/),
  proxyRow("N22", "proxy's own certificate wrong", { tlsProxy: true }, /^WorkloadIdentityError Proxy\(tls\)$/)
]
