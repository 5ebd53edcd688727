// @effect-diagnostics globalDate:off globalTimers:off
/**
 * An issuer that every client here can ask: client credentials, refresh tokens, assertions and token exchange at one
 * address. It counts, and fails in the way it is told to.
 */
import { createServer, type ServerResponse } from "node:http"
import { createServer as createTlsServer } from "node:https"
import { setTimeout as wait } from "node:timers/promises"
import { gzipSync } from "node:zlib"
import { listen } from "./Listening.ts"

export type Mode =
  | "good"
  | "slow"
  | "hang"
  | "drip"
  | "503"
  | "503, once"
  | "429, once"
  | "html"
  | "errcode"
  | "refuse"
  | "large"
  | "bomb"
  | "redirect"

export interface Issuer {
  readonly url: string
  mode: Mode
  /** Milliseconds a good answer takes. */
  delay: number
  requests: number
  /** Requests whose client left before they were answered. */
  abandoned: number
  /** Tokens that were issued and not taken back. */
  readonly live: Set<string>
  /** What `expires_in` says: any JSON text, absent when undefined. */
  expiresIn: string | undefined
  /** When set, requests without this secret are refused. */
  secret: string | undefined
  redirectTo: string
}

const json = (response: ServerResponse, status: number, body: string, headers: Record<string, string> = {}) =>
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(body)

const drip = (response: ServerResponse) => {
  response.writeHead(200, { "content-type": "application/json" }).write("{")
  const timer = setInterval(() => response.write(" "), 200)
  response.on("close", () => clearInterval(timer))
}

const inTwoSeconds = () => new Date((Math.floor(Date.now() / 1000) + 2) * 1000).toUTCString()

const grant = (issuer: Issuer, identity: string): string => {
  const token = `token-${issuer.requests}-${identity}`
  issuer.live.add(token)
  const expiry = issuer.expiresIn === undefined ? "" : `"expires_in":${issuer.expiresIn},`
  return `{${expiry}"access_token":"${token}","token_type":"Bearer",`
    + `"issued_token_type":"urn:ietf:params:oauth:token-type:access_token"}`
}

/** Larger than any answer about a token has to be, and good JSON all the same. */
const padded = (body: string, bytes: number) => " ".repeat(bytes) + body

/** The client that asks, from the form, the JSON body or the Basic credentials. */
const identityOf = (body: string, authorization: string | undefined): string => {
  const basic = /^Basic (.+)$/.exec(authorization ?? "")?.[1]
  const all = basic === undefined ? body : `${body}&client_id=${Buffer.from(basic, "base64").toString().split(":")[0]}`
  return /client_id=([\w-]+)|"client_id":\s*"([\w-]+)"/.exec(all)?.slice(1).find(Boolean) ?? "app"
}

const answer = async (issuer: Issuer, response: ServerResponse, token: () => string) => {
  const { mode } = issuer
  switch (mode) {
    case "hang":
      return
    case "drip":
      return drip(response)
    case "503":
      return json(response, 503, "{}")
    case "503, once":
    case "429, once": {
      issuer.mode = "good"
      const retryAfter = mode === "503, once" ? "1" : inTwoSeconds()
      return json(response, Number(mode.slice(0, 3)), "{}", { "retry-after": retryAfter })
    }
    case "html":
      return response.writeHead(200, { "content-type": "text/html" }).end("<html>sorry</html>")
    case "errcode":
      return json(response, 200, `{"errcode":40001,"errmsg":"invalid credential"}`)
    case "refuse":
      return json(response, 401, `{"error":"invalid_client"}`)
    case "large":
      return json(response, 200, padded(token(), 5 * 2 ** 20))
    case "bomb":
      return response
        .writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" })
        .end(gzipSync(padded(token(), 100 * 2 ** 20)))
    case "redirect":
      return response.writeHead(307, { location: issuer.redirectTo }).end()
    case "slow":
      await wait(300)
      return json(response, 200, token())
    case "good":
      if (issuer.delay > 0) await wait(issuer.delay)
      return json(response, 200, token())
  }
}

/** The secret is shown as a field, in Basic credentials, or was when the token was issued that is traded here. */
const holds = (text: string, secret: string) =>
  text.includes(secret) || text.includes(Buffer.from(`app:${secret}`).toString("base64"))
  || text.includes("subject_token=token-")

export const start = async (tls?: { readonly key: string; readonly cert: string }): Promise<Issuer> => {
  const issuer: { -readonly [field in keyof Issuer]: Issuer[field] } = {
    url: "",
    mode: "good",
    delay: 0,
    requests: 0,
    abandoned: 0,
    live: new Set(),
    expiresIn: "3600",
    secret: undefined,
    redirectTo: ""
  }
  const server = tls === undefined ? createServer() : createTlsServer({ ...tls })
  server.on("request", (request, response) => {
    issuer.requests++
    response.on("close", () => {
      if (!response.writableFinished) issuer.abandoned++
    })
    let body = ""
    request.on("data", (chunk) => {
      body += String(chunk)
    }).on("end", () => {
      const shown = `${body} ${request.headers.authorization ?? ""}`
      const isRefused = issuer.secret !== undefined && !holds(shown, issuer.secret)
      if (isRefused) return json(response, 401, `{"error":"invalid_client"}`)
      return void answer(issuer, response, () => grant(issuer, identityOf(body, request.headers.authorization)))
    })
  })
  issuer.url = await listen(server, tls === undefined ? "http" : "https")
  return issuer
}
