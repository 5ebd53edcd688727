/**
 * The least that a server can do: a constant answer of the size of a token, without looking at the request.
 */
import { createServer } from "node:http"

const body = JSON.stringify({
  token: "issued-0-00000000-0000-0000-0000-000000000000",
  expires_in: 3600000,
  source: "memory"
})

createServer((_, response) => {
  response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) }).end(body)
}).listen(Number(process.argv[2]), "127.0.0.1", () => console.log("listening"))
