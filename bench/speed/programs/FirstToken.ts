/**
 * A program that gets one token: how long after its start, and what it took in memory until then.
 */
import { type Peer, subjectOf } from "../Peer.ts"
import type { Figure } from "../Row.ts"
import { usage } from "./Usage.ts"

export const run = async (peer: Peer, { issuer }: { readonly issuer: string }): Promise<Figure> => {
  await (await subjectOf(peer, issuer)).getToken()
  return usage()
}
