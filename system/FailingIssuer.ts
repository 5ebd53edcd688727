/**
 * An issuer over TLS that can be told to fail, each time in another way.
 */
import * as CertificateAuthority from "@effect-identity/testing/CertificateAuthority"
import { Effect } from "effect"
import { constants } from "node:crypto"
import * as Https from "node:https"
import { createSecureContext, getCACertificates, setDefaultCACertificates } from "node:tls"

const faults = ["reset", "503", "html", "hang", "certificate"] as const

export interface Issued {
  readonly token: string
  readonly at: number
  readonly until: number
}

export interface FailingIssuer {
  readonly origin: string
  readonly issued: ReadonlyArray<Issued>
  /** When each request or handshake came that was failed. */
  readonly failed: ReadonlyArray<{ readonly at: number; readonly fault: string }>
  /** Asked on every request. */
  isDown: (now: number) => boolean
}

export const make = Effect.fnUntraced(function*(lifeSeconds: number) {
  const authority = yield* CertificateAuthority.make
  yield* Effect.sync(() => setDefaultCACertificates([...getCACertificates("default"), authority.cert]))
  const good = yield* authority.issue(["localhost"])
  const bad = createSecureContext({ ...(yield* (yield* CertificateAuthority.make).issue(["localhost"])) })
  const issued: Array<Issued> = []
  const failed: Array<{ readonly at: number; readonly fault: string }> = []
  let nth = 0
  const issuer = { origin: "", issued, failed, isDown: (_now: number): boolean => false }

  const isNextFault = (fault: typeof faults[number]) => faults[nth % faults.length] === fault

  const server = Https.createServer({
    ...good,
    // Whoever resumes a session is not shown a certificate again.
    secureOptions: constants.SSL_OP_NO_TICKET,
    SNICallback: (_, done) => {
      const now = performance.now()
      if (!issuer.isDown(now) || !isNextFault("certificate")) return done(null)
      failed.push({ at: now, fault: "certificate" })
      nth++
      return done(null, bad)
    }
  }, (request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk) => chunks.push(chunk)).on("end", () => {
      const now = performance.now()
      if (issuer.isDown(now)) {
        if (isNextFault("certificate")) nth++
        const fault = faults[nth++ % faults.length] ?? "reset"
        failed.push({ at: now, fault })
        if (fault === "reset") return request.socket.destroy()
        if (fault === "hang") return undefined
        return response
          .writeHead(fault === "503" ? 503 : 200, { "content-type": "text/html", connection: "close" })
          .end("<p>sorry")
      }
      const isExchange = Buffer.concat(chunks).toString().includes("token-exchange")
      const token = `${isExchange ? "access" : "id"}-token-${crypto.randomUUID()}`
      if (isExchange) issued.push({ token, at: now, until: now + lifeSeconds * 1000 })
      return response.writeHead(200, { "content-type": "application/json", connection: "close" }).end(JSON.stringify({
        access_token: token,
        issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
        token_type: "Bearer",
        expires_in: lifeSeconds
      }))
    })
  })
  server.on("tlsClientError", () => {})
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        issuer.origin = `https://localhost:${typeof address === "object" && address !== null ? address.port : 0}`
        resume(Effect.void)
      })
    }),
    () =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  )
  return issuer
})
