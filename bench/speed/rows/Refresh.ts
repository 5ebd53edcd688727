/**
 * Who waits when a token is replaced that has not ended yet.
 */
import { libraries, ours } from "../Peers.ts"
import type { Figure, Measurement } from "../Row.ts"

export const refresh: Measurement = {
  rows: [{
    id: "refresh",
    title: "callers that wait while a token is replaced before its end, of 100",
    targets: [{ of: "waiting", atMost: 0 }, { of: "age", atMost: 3_599 }],
    mustReach: "0",
    order: "waiting",
    show: ({ age = Number.NaN, waiting = Number.NaN }) => age < 3_600 ? String(waiting) : `${waiting}, at its end only`
  }],
  measure: async ({ programs }) => {
    const figures: Record<string, Figure> = {}
    for (const peer of [ours, ...libraries]) {
      if (peer.keepsTokens) figures[peer.name] = await programs.run(await programs.around("Refresh", peer))
    }
    return { refresh: figures }
  }
}
