/**
 * Servers on free ports of the loopback interface, which hold no process.
 */
import { createServer, type Server } from "node:net"

/** As many may wait to be taken as ten thousand callers open at once. */
const connections = 16_384

export const listen = async (server: Server, scheme: "http" | "https"): Promise<string> => {
  server.unref()
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", connections, () => resolve()))
  const address = server.address()
  return `${scheme}://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`
}

/** Takes connections and never says a word, not even to shake hands. */
export const silent = (): Promise<string> => listen(createServer(), "https")
