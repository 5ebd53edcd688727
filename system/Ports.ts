/**
 * Ports for programs that are started, killed and started again on the same one.
 */
import { randomInt } from "node:crypto"
import { createServer } from "node:net"

/** Below those that the kernel gives to connections: while a program is down, none of them can take its port. */
const lowest = 20_000
const end = 30_000

const isFree = (port: number) =>
  new Promise<boolean>((resolve) => {
    const server = createServer()
    server.once("error", () => resolve(false))
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)))
  })

/** A port that nobody listens on. */
export const free = async (): Promise<number> => {
  for (;;) {
    const port = randomInt(lowest, end)
    if (await isFree(port)) return port
  }
}
