/**
 * A relay that passes TCP on and keeps every byte, to see what the program behind it sees.
 */
import { connect, createServer, type Socket } from "node:net"

export interface Recorder {
  readonly port: number
  /** Everything that was sent towards the target, each byte as one character. */
  readonly sent: () => string
  readonly stop: () => void
}

export const record = (targetPort: number) =>
  new Promise<Recorder>((resolve) => {
    const chunks: Array<Buffer> = []
    const sockets = new Set<Socket>()
    const server = createServer((client) => {
      const target = connect(targetPort, "127.0.0.1")
      for (const socket of [client, target]) {
        sockets.add(socket)
        socket.on("error", () => client.destroy())
      }
      client.on("data", (chunk) => chunks.push(chunk))
      client.pipe(target)
      target.pipe(client)
    })
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      resolve({
        port: typeof address === "object" && address !== null ? address.port : 0,
        sent: () => Buffer.concat(chunks).toString("latin1"),
        stop: () => {
          for (const socket of sockets) socket.destroy()
          server.close()
        }
      })
    })
  })
