/**
 * What a program pays before it has its first token: time and memory, less what Node takes to run nothing.
 */
import type { Peer } from "../Peer.ts"
import { all, byHand, byHandFetch } from "../Peers.ts"
import type { Figure, Measurement, Stage } from "../Row.ts"
import * as Show from "../Show.ts"
import { medianDifference } from "../Statistics.ts"
import * as Turns from "../Turns.ts"

type Measures = Record<string, () => Promise<Figure>>

type Taken = Readonly<Record<string, ReadonlyArray<Figure>>>

const empty = "nothing"

const valuesOf = (taken: Taken, metric: string): Record<string, ReadonlyArray<number>> =>
  Turns.mapped(taken, (figures) => figures.map((figure) => figure[metric] ?? Number.NaN))

/** Each one's median over the empty program of the same round. */
const overEmpty = (taken: Taken, metric: string): Record<string, number> => {
  const { [empty]: nothing = [], ...rest } = valuesOf(taken, metric)
  return Turns.mapped(rest, (each) => medianDifference(each, nothing))
}

const packagesOf = (peer: Peer): ReadonlyArray<string> =>
  peer === byHand ? ["node:http"] : peer.entries.map(({ from }) => from)

const takeImports = async ({ isQuick, programs }: Stage): Promise<Taken> => {
  const measures: Measures = {}
  const nothing = await programs.importing("nothing", [])
  measures[empty] = () => programs.run(nothing)
  for (const peer of all) {
    if (peer === byHandFetch) continue
    const path = await programs.importing(peer.name, packagesOf(peer))
    measures[peer.name] = () => programs.run(path)
  }
  return Turns.take(isQuick ? 5 : 31, measures)
}

const takeFirstTokens = async ({ isQuick, issuer, programs }: Stage): Promise<Taken> => {
  const measures: Measures = {}
  const nothing = await programs.importing("nothing", [])
  measures[empty] = () => programs.run(nothing)
  for (const peer of all) {
    const path = await programs.around("FirstToken", peer)
    measures[peer.name] = () => programs.run(path, { issuer: issuer.url })
  }
  return Turns.take(isQuick ? 5 : 21, measures)
}

export const start: Measurement = {
  rows: [
    {
      id: "import",
      title: "import, as installed, added to Node's own start",
      targets: [{ of: "ms", atMost: 2 }],
      mustReach: "2 ms",
      order: "ms",
      show: ({ ms = Number.NaN }) => Show.millis(ms)
    },
    {
      id: "firstToken",
      title: "start of the process to its first token, less Node's own start",
      targets: [{ of: "ratio", atMost: 1.4 }],
      mustReach: "1.40 × by hand over `node:http`",
      order: "ms",
      show: ({ ms = Number.NaN, ratio = Number.NaN }) => `${Show.ratio(ratio)} (${Show.millis(ms)})`
    },
    {
      id: "memory",
      title: "peak memory after the first token, over an empty process",
      targets: [{ of: "mebibytes", atMost: 17 }],
      mustReach: "17 MiB",
      order: "mebibytes",
      show: ({ mebibytes = Number.NaN }) => Show.mebibytes(mebibytes)
    }
  ],
  measure: async (stage) => {
    const imports = await takeImports(stage)
    const firstTokens = await takeFirstTokens(stage)
    const times = overEmpty(firstTokens, "ms")
    return {
      import: Turns.mapped(overEmpty(imports, "ms"), (ms) => ({ ms })),
      firstToken: Turns.mapped(times, (ms) => ({ ms, ratio: ms / (times[byHand.name] ?? Number.NaN) })),
      memory: Turns.mapped(overEmpty(firstTokens, "mebibytes"), (mebibytes) => ({ mebibytes }))
    }
  }
}
