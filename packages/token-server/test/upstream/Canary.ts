/**
 * A listener that nobody may talk to, and that says who did. What it does with those who come is up to the test.
 */
import { Effect } from "effect"
import * as Net from "node:net"

export interface Canary {
  readonly port: number
  readonly connections: () => number
  readonly bytes: () => number
}

export const make = (
  greet: (socket: Net.Socket) => void = () => {},
  host = "::"
) =>
  Effect.gen(function*() {
    let connections = 0
    let bytes = 0
    const sockets = new Set<Net.Socket>()
    const server = Net.createServer((socket) => {
      connections++
      sockets.add(socket)
      socket.on("error", () => {})
      socket.on("data", (data) => {
        bytes += data.length
      })
      greet(socket)
    })
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => {
        server.listen({ port: 0, host }, () => resume(Effect.void))
      }),
      () =>
        Effect.callback<void>((resume) => {
          for (const socket of sockets) socket.destroy()
          server.close(() => resume(Effect.void))
        })
    )
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    return { port, connections: () => connections, bytes: () => bytes } satisfies Canary
  })
