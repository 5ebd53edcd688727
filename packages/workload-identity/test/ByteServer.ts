import { Effect } from "effect"
import { createServer, type Socket } from "node:net"

export interface ByteServer {
  readonly port: number
  readonly origin: string
  readonly connections: Array<{ text: string; readonly closed: Promise<void> }>
  readonly asked: Promise<void>
  readonly stop: () => void
}

/** A server that answers whatever arrives on a connection with these bytes, or with nothing. */
export const serving = (answer: string, after?: (socket: Socket) => void) =>
  Effect.acquireRelease(
    Effect.callback<ByteServer>((resume) => {
      const connections: ByteServer["connections"] = []
      const sockets = new Set<Socket>()
      const asked = Promise.withResolvers<void>()
      const server = createServer((socket) => {
        const closed = Promise.withResolvers<void>()
        const connection = { text: "", closed: closed.promise }
        connections.push(connection)
        sockets.add(socket)
        socket.on("error", () => {}).once("close", () => closed.resolve()).on("data", (chunk) => {
          connection.text += chunk.toString("latin1")
          if (answer !== "") socket.write(answer)
          after?.(socket)
          asked.resolve()
        })
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        const stop = () => {
          for (const socket of sockets) socket.destroy()
          server.close()
        }
        resume(Effect.succeed({ port, origin: `http://127.0.0.1:${port}`, connections, asked: asked.promise, stop }))
      })
    }),
    ({ stop }) => Effect.sync(stop)
  )
