/**
 * An upstream whose every new token ends the one before, after an overlap, as WeChat's does; and the API where its tokens are
 * used.
 */
import { Effect } from "effect"
import { createServer } from "node:http"
import { setTimeout as wait } from "node:timers/promises"

/** A token that was shown to the API. */
export interface Use {
  readonly token: string
  /** How long ago its life was over, in milliseconds; 0 or less while it was accepted. */
  readonly deadFor: number
}

export interface KillingIssuer {
  readonly origin: string
  /** When each token was issued, in milliseconds of this process. */
  readonly issued: ReadonlyArray<{ readonly token: string; readonly at: number }>
  readonly use: (token: string) => Use
  /** Told of every request by its port, before (`come`) and after (`gone`) its token is issued. */
  watch: (port: number, moment: "come" | "gone") => void
}

export const make = Effect.fnUntraced(function*(
  options: { readonly life: number; readonly overlap: number; readonly pause: number }
) {
  const issued: Array<{ readonly token: string; readonly at: number }> = []
  const endOf = (nth: number): number => {
    const own = issued[nth]
    if (own === undefined) return -Infinity
    const next = issued[nth + 1]
    return Math.min(own.at + options.life, next === undefined ? Infinity : next.at + options.overlap)
  }
  const issuer: KillingIssuer & { origin: string } = {
    origin: "",
    issued,
    watch: () => {},
    use: (token) => ({
      token,
      deadFor: performance.now() - endOf(issued.findLastIndex((one) => one.token === token))
    })
  }
  const server = createServer(async (request, response) => {
    const port = request.socket.remotePort ?? 0
    issuer.watch(port, "come")
    await wait(options.pause / 2)
    // Whoever was killed by now has asked for nothing.
    if (request.socket.destroyed) return
    const token = `issued-${issued.length}-${crypto.randomUUID()}`
    issued.push({ token, at: performance.now() })
    issuer.watch(port, "gone")
    await wait(options.pause / 2)
    response.writeHead(200, { "content-type": "application/json" })
      .end(JSON.stringify({ access_token: token, expires_in: options.life / 1000 }))
  })
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        issuer.origin = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`
        resume(Effect.void)
      })
    }),
    () =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  )
  return issuer
})
