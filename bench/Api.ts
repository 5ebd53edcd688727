/**
 * An API that takes a token while its issuer has not taken that back.
 */
import { createServer } from "node:http"
import type { Issuer } from "./Issuer.ts"
import { listen } from "./Listening.ts"

export interface Api {
  readonly url: string
  /** Refuses everything, whatever it is shown. */
  refusesAll: boolean
  /** What was shown to it: every authorization header and body. */
  readonly seen: Array<string>
}

export const start = async (issuer: Issuer): Promise<Api> => {
  const api: { -readonly [field in keyof Api]: Api[field] } = { url: "", refusesAll: false, seen: [] }
  const server = createServer((request, response) => {
    let body = ""
    request.on("data", (chunk) => {
      body += String(chunk)
    }).on("end", () => {
      api.seen.push(`${request.headers.authorization ?? ""} ${body}`)
      const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1] ?? ""
      const isGood = !api.refusesAll && issuer.live.has(bearer)
      response.writeHead(isGood ? 200 : 401, { "content-type": "application/json" })
      response.end(JSON.stringify(isGood ? { code: 0, data: { credential: "c", list: [] } } : { code: 4100 }))
    })
  })
  api.url = await listen(server, "http")
  return api
}
