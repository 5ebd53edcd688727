/**
 * Ten thousand callers at once, in a process that has no token yet. Both round trips together take 100 ms: half for each
 * request where two lead to a token.
 */
import type { Peer } from "../Peer.ts"
import { all, byHandFetch } from "../Peers.ts"
import type { Figure, Measurement, Stage } from "../Row.ts"
import * as Show from "../Show.ts"
import { median, medians } from "../Statistics.ts"
import * as Versions from "../Versions.ts"

const callers = 10_000

/** Requests: more than anyone sends who lets callers share. */
const few = 100

const take = async ({ issuer, programs }: Stage, peer: Peer, callers: number): Promise<Figure> => {
  const program = await programs.around("Stampede", peer)
  const { delay, requests } = issuer
  issuer.delay = 100 / peer.steps
  try {
    const figure = await programs.run(program, { issuer: issuer.url, callers })
    return { ...figure, requests: issuer.requests - requests }
  } finally {
    issuer.delay = delay
  }
}

export const stampede: Measurement = {
  rows: [{
    id: "stampede",
    title: "10,000 callers, nothing held, two round trips of 50 ms",
    targets: [{ of: "ratio", atMost: 1.03 }, { of: "requests", atMost: 2 }, { of: "failures", atMost: 0 }],
    mustReach: "1.03 × one caller, 2 requests, 0 failures",
    order: "ratio",
    show: ({ failures = Number.NaN, ratio = Number.NaN, requests = Number.NaN }) =>
      `${Show.ratio(ratio)}, ${Show.count(requests, "request")}${
        failures === 0 ? "" : `, ${Show.count(failures, "failure")}`
      }`
  }],
  measure: async (stage) => {
    const figures: Record<string, Figure> = {}
    const known = stage.earlier.rows["stampede"] ?? {}
    const taken = new Map<Peer, Array<Figure>>()
    const isKnown = ({ name }: Peer) =>
      stage.isQuick && (known[name]?.["requests"] ?? 0) > few && stage.earlier.versions[name] === Versions.of(name)
    for (let round = 0; round < (stage.isQuick ? 3 : 9); round++) {
      for (const peer of all) {
        // Who asks ten thousand times does so every time, and takes long.
        if (peer === byHandFetch || (taken.get(peer)?.[0]?.["requests"] ?? 0) > few) continue
        const before = isKnown(peer) ? known[peer.name] : undefined
        if (before !== undefined) figures[peer.name] = before
        if (before !== undefined || (stage.isQuick && !peer.keepsTokens)) continue
        const one = await take(stage, peer, 1)
        const many = await take(stage, peer, callers)
        const ratio = (many["ms"] ?? Number.NaN) / (one["ms"] ?? Number.NaN)
        const figure = { ...many, one: one["ms"] ?? Number.NaN, ratio }
        taken.set(peer, [...taken.get(peer) ?? [], figure])
      }
    }
    for (const [{ name }, each] of taken) {
      const worst = (metric: string) => Math.max(...each.map((figure) => figure[metric] ?? Number.NaN))
      const { ms = Number.NaN, one = Number.NaN } = medians(each)
      const ratio = median(each.map((figure) => figure["ratio"] ?? Number.NaN))
      figures[name] = { ms, one, ratio, requests: worst("requests"), failures: worst("failures") }
    }
    return { stampede: figures }
  }
}
