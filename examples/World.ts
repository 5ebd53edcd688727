/**
 * Everything on loopback that the examples would meet out there: a platform, a third party behind the outbound proxy, and
 * the bucket of a project, a collector of telemetry, an API behind client credentials, and Coze for an app that signs JWTs.
 */
import { CognitoApi, ConnectProxy, CozeOAuth, Platform } from "@effect-identity/testing"
import * as CertificateAuthority from "@effect-identity/testing/CertificateAuthority"
import { Context, Effect, Layer } from "effect"
import * as Http from "node:http"
import * as Https from "node:https"

const listen = (server: Http.Server | Https.Server) =>
  Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
      })
    }),
    () =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  )

/** A bucket of one object, for whoever shows a storage token. */
const bucket = () => {
  let stored: Buffer = Buffer.alloc(0)
  return Http.createServer((request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk) => chunks.push(chunk)).on("end", () => {
      if (!request.headers["x-storage-token"]?.toString().startsWith("access-token-")) {
        return response.writeHead(401).end()
      }
      if (request.url === "/sign-url") {
        const { bucket_name, path } = JSON.parse(Buffer.concat(chunks).toString())
        return response.end(JSON.stringify({ code: 0, data: { url: `https://link.example/${bucket_name}/${path}` } }))
      }
      if (request.method === "PUT") stored = Buffer.concat(chunks)
      return response.writeHead(200, { "content-type": "text/plain" }).end(request.method === "GET" ? stored : "")
    })
  })
}

/** A collector for OTLP over HTTP, which tells whoever asks what names have arrived. */
const collector = () => {
  const names = new Set<string>()
  return Http.createServer((request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk) => chunks.push(chunk)).on("end", () => {
      if (request.method === "GET") return response.end(JSON.stringify([...names].toSorted()))
      for (const [, name] of Buffer.concat(chunks).toString().matchAll(/"name":"([\w.]+)"/g)) {
        names.add(`${request.url?.split("/").at(-1)} ${name}`)
      }
      return response.writeHead(200, { "content-type": "application/json" }).end("{}")
    })
  })
}

/** Starts it all, and gives the environment of a program that lives there. */
export const make = Effect.gen(function*() {
  const platform = yield* Platform.Platform
  const api = yield* CognitoApi.CognitoApi
  const authority = yield* CertificateAuthority.make
  const thirdParty = Https.createServer(
    yield* authority.issue(["api.example.com"]),
    (_, response) => response.end("fine")
  )
  const proxy = yield* ConnectProxy.make({
    credentials: { user: "space", password: "example-ticket" },
    standIns: { "api.example.com:443": yield* listen(thirdParty) }
  })
  const coze = Context.get(yield* Layer.build(CozeOAuth.layer()), CozeOAuth.CozeOAuth)
  return {
    ...platform.env,
    A55_BASE_URL: api.baseUrl,
    A55_TOKEN_ENDPOINT: api.tokenEndpoint,
    A55_CLIENT_ID: api.clientId,
    A55_CLIENT_SECRET: api.clientSecret,
    ...coze.env,
    COZE_OUTBOUND_AUTH_PROXY: proxy.url,
    identity_ticket: "example-ticket",
    COZE_OUTBOUND_AUTH_PROXY_CA: authority.cert,
    COZE_BUCKET_ENDPOINT_URL: `http://127.0.0.1:${yield* listen(bucket())}`,
    COZE_BUCKET_NAME: "project-bucket",
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${yield* listen(collector())}`
  }
})

const layerCoze = Platform.layer({
  credentials: {
    "integration-email-imap-smtp": JSON.stringify({ account: "app@example.com", auth_code: "s3cret", imap_port: 993 })
  },
  variables: [{ key: "DATABASE_URL", value: "postgres://db.example/app" }, { key: "PATH", value: "/elsewhere" }]
})

export const layer = Layer.merge(layerCoze, CognitoApi.layer())
