/**
 * Callers who all come at once, and nothing is held.
 */
import { type Peer, subjectOf } from "../Peer.ts"
import type { Figure } from "../Row.ts"

interface Settings {
  readonly issuer: string
  readonly callers: number
}

export const run = async (peer: Peer, { callers, issuer }: Settings): Promise<Figure> => {
  const { getToken } = await subjectOf(peer, issuer)
  const from = performance.now()
  const calls = Array.from({ length: callers }, () => getToken())
  // Waits for the first failure at most, and costs less than waiting for each.
  await Promise.all(calls).catch(() => {})
  const ms = performance.now() - from
  const answers = await Promise.allSettled(calls)
  return { ms, failures: answers.filter(({ status }) => status === "rejected").length }
}
