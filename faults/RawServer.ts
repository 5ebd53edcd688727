/**
 * A server that answers with exact bytes, and keeps a log of what it saw of each connection.
 */
import { Effect } from "effect"
import { createServer, type Socket } from "node:net"
import { setImmediate as nextTurn } from "node:timers/promises"

export interface Seen {
  text: string
  requests: number
  isClosed: boolean
}

/** Called with every complete request of a connection; `nth` counts them over all connections. */
export type Handler = (socket: Socket, nth: number) => void

const isComplete = (text: string): boolean => {
  const end = text.indexOf("\r\n\r\n")
  if (end === -1) return false
  const length = Number(/content-length: (\d+)/i.exec(text.slice(0, end))?.[1] ?? 0)
  return text.length >= end + 4 + length
}

export const make = (handler: Handler) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<{ readonly port: number; readonly seen: Array<Seen>; readonly stop: () => void }>((resume) => {
        const seen: Array<Seen> = []
        const sockets = new Set<Socket>()
        let requests = 0
        const server = createServer((socket) => {
          const connection: Seen = { text: "", requests: 0, isClosed: false }
          seen.push(connection)
          sockets.add(socket)
          let pending = ""
          socket.on("error", () => {}).once("close", () => {
            connection.isClosed = true
          })
          socket.on("data", (chunk) => {
            connection.text += chunk.toString("latin1")
            pending += chunk.toString("latin1")
            if (!isComplete(pending)) return
            pending = ""
            connection.requests++
            handler(socket, ++requests)
          })
        })
        server.listen(0, "127.0.0.1", () => {
          const address = server.address()
          const port = typeof address === "object" && address !== null ? address.port : 0
          resume(Effect.succeed({
            port,
            seen,
            stop: () => {
              for (const socket of sockets) socket.destroy()
              server.close()
            }
          }))
        })
      }),
      ({ stop }) => Effect.sync(stop)
    ),
    ({ port, seen }) => ({ port, origin: `http://127.0.0.1:${port}`, seen })
  )

export const json = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"

/** A complete answer. */
export const answer = (body: object, headers = ""): string => {
  const text = JSON.stringify(body)
  return `${json}${headers}content-length: ${text.length}\r\n\r\n${text}`
}

export const token = (value: string) => ({
  access_token: value,
  issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
  token_type: "Bearer",
  expires_in: 3600
})

/** Waits until the other side has seen every connection end. */
export const untilClosed = (seen: ReadonlyArray<Seen>) =>
  Effect.promise(async () => {
    while (seen.some(({ isClosed }) => !isClosed)) await nextTurn()
  })
