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
  const answers = await Promise.allSettled(Array.from({ length: callers }, () => getToken()))
  const ms = performance.now() - from
  return { ms, failures: answers.filter(({ status }) => status === "rejected").length }
}
