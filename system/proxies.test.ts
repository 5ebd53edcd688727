import { createHttpClient, envKeys, WorkloadIdentityError } from "@effect-identity/client"
import { SecretSweep } from "@effect-identity/testing"
import * as CertificateAuthority from "@effect-identity/testing/CertificateAuthority"
import { Effect } from "effect"
import type { IncomingHttpHeaders } from "node:http"
import * as Https from "node:https"
import { afterAll, assert, beforeAll, describe, it, vi } from "vitest"
import * as RealProxy from "./RealProxy.ts"
import * as Recorder from "./Recorder.ts"

const ticket = "system-ticket-5e1c77"
const bearer = "third-party-bearer-7d31"
const form = "form-content-91ac44"
const basic = Buffer.from(`space:${ticket}`).toString("base64")

const listen = (server: Https.Server) =>
  new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      resolve(typeof address === "object" && address !== null ? address.port : 0)
    })
  })

for (const [name, refusal] of [["squid", 407], ["tinyproxy", 401]] as const) {
  describe(`through ${name}`, () => {
    const seen: Array<{ readonly headers: IncomingHttpHeaders; readonly body: string }> = []
    let proxy: RealProxy.RealProxy
    let beforeProxy: Recorder.Recorder
    let beforeOrigin: Recorder.Recorder
    let origin: Https.Server

    beforeAll(async () => {
      const authority = await Effect.runPromise(CertificateAuthority.make)
      const identity = await Effect.runPromise(authority.issue(["localhost"]))
      origin = Https.createServer(identity, (request, response) => {
        let body = ""
        request.setEncoding("utf8").on("data", (chunk) => {
          body += chunk
        }).on("end", () => {
          seen.push({ headers: request.headers, body })
          response.end("hello")
        })
      })
      beforeOrigin = await Recorder.record(await listen(origin))
      proxy = await RealProxy.start(name, ticket)
      beforeProxy = await Recorder.record(proxy.port)
      vi.stubEnv(envKeys.COZE_OUTBOUND_AUTH_PROXY, `http://127.0.0.1:${beforeProxy.port}`)
      vi.stubEnv(envKeys.identity_ticket, ticket)
      vi.stubEnv(envKeys.COZE_OUTBOUND_AUTH_PROXY_CA, authority.cert)
    })

    afterAll(async () => {
      vi.unstubAllEnvs()
      beforeProxy.stop()
      beforeOrigin.stop()
      origin.closeAllConnections()
      origin.close()
      await proxy.stop()
    })

    const post = () =>
      createHttpClient({ timeoutMs: 20_000 }).post(`https://localhost:${beforeOrigin.port}/`, {
        headers: { authorization: `Bearer ${bearer}` },
        body: new URLSearchParams({ form })
      })

    it("the proxy sees its own credentials and nothing of the request, the origin the request and nothing of them", async () => {
      assert.strictEqual(await (await post()).text(), "hello")
      assert.include(beforeProxy.sent(), `Basic ${basic}`)
      assert.deepStrictEqual(SecretSweep.find(beforeProxy.sent(), { bearer, form }), [])
      assert.deepStrictEqual(SecretSweep.find(beforeOrigin.sent(), { ticket, basic, bearer, form }), [])
      assert.strictEqual(seen[0]?.body, `form=${form}`)
      assert.strictEqual(seen[0]?.headers.authorization, `Bearer ${bearer}`)
      assert.isUndefined(seen[0]?.headers["proxy-authorization"])
    })

    it("a ticket it does not take is named as that, and nothing goes around it", async () => {
      vi.stubEnv(envKeys.identity_ticket, "wrong-ticket")
      const before = seen.length
      const error: unknown = await post().catch((error: unknown) => error)
      vi.stubEnv(envKeys.identity_ticket, ticket)
      assert.instanceOf(error, WorkloadIdentityError)
      assert.deepStrictEqual([error.reason, error.detail, error.httpStatus], ["Proxy", "authentication", refusal])
      assert.deepStrictEqual(SecretSweep.find(error, { ticket: "wrong-ticket" }), [])
      assert.lengthOf(seen, before)
    })
  })
}
