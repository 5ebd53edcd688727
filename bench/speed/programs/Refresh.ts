/**
 * A token of an hour grows old, half a minute at a time, while a hundred callers ask at each step: how many of them wait
 * when it is replaced.
 */
import * as Issuer from "../../Issuer.ts"
import * as WallClock from "../../WallClock.ts"
import { type Peer, subjectOf } from "../Peer.ts"
import type { Figure } from "../Row.ts"

/** Seconds. */
const life = 3_600
const step = 30

/** Milliseconds that an answer takes, and from which on a caller has waited for it. */
const delay = 60
const waited = delay / 2

const timed = async (ask: () => Promise<unknown>) => {
  const from = performance.now()
  const token = await ask()
  return { token, ms: performance.now() - from }
}

export const run = async (peer: Peer): Promise<Figure> => {
  const issuer = await Issuer.start()
  issuer.expiresIn = String(life)
  issuer.delay = delay
  const { getToken } = await subjectOf(peer, issuer.url)
  const first = await getToken()
  const { requests } = issuer
  let age = 0
  while (age < life + step) {
    const answers = await Promise.all(Array.from({ length: 100 }, () => timed(getToken)))
    // Nobody waits for a request that was only just sent: it is seen when it has arrived.
    await timed(() => new Promise((resolve) => setImmediate(resolve)))
    // On a machine that has much to do, what takes long need not have waited for anything.
    const waiting = answers.filter(({ ms, token }) => token !== first && ms > waited).length
    if (waiting > 0 || issuer.requests > requests) return { waiting, age }
    WallClock.shift(step * 1000)
    age += step
  }
  throw new Error(`${peer.name} keeps a token for longer than that lives`)
}
