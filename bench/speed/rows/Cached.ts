/**
 * What it costs to read a token that is held.
 */
import { all, byHandFetch } from "../Peers.ts"
import type { Measurement, Row } from "../Row.ts"
import * as Show from "../Show.ts"
import { medians } from "../Statistics.ts"
import * as Turns from "../Turns.ts"

const row = (id: string, title: string): Row => ({
  id,
  title,
  targets: [{ of: "ratio", atMost: 1 }],
  mustReach: "1.00 × by hand",
  order: "ns",
  show: ({ ns = Number.NaN, ratio = Number.NaN }) => `${Show.ratio(ratio)} (${Show.nanos(ns)})`
})

export const cached: Measurement = {
  rows: [
    row("sequential", "cached `await getAccessToken()`, one after the other"),
    row("concurrent", "the same, 1,000 at once, each")
  ],
  measure: async ({ isQuick, issuer, programs }) => {
    const peers = all.filter((peer) => peer.keepsTokens && peer !== byHandFetch)
    const measures: Record<string, () => ReturnType<typeof programs.run>> = {}
    for (const peer of peers) {
      const program = await programs.around("Cached", peer)
      measures[peer.name] = () => programs.run(program, { issuer: issuer.url, samples: isQuick ? 7 : 15 })
    }
    const taken = Turns.mapped(await Turns.take(isQuick ? 1 : 5, measures), medians)
    const pick = (name: string) =>
      Turns.mapped(taken, (figure) => ({
        ns: figure[name] ?? Number.NaN,
        ratio: figure[`${name}Ratio`] ?? Number.NaN
      }))
    return { sequential: pick("sequential"), concurrent: pick("concurrent") }
  }
}
