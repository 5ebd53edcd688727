/**
 * What it costs an Effect program to read a token that is held.
 */
import { ours } from "../Peers.ts"
import type { Measurement } from "../Row.ts"
import * as Show from "../Show.ts"
import { medians } from "../Statistics.ts"
import * as Turns from "../Turns.ts"

export const fiber: Measurement = {
  rows: [{
    id: "fiber",
    title: "`yield* identity.accessToken` in a fiber",
    targets: [{ of: "ratio", atMost: 0.55 }],
    mustReach: "0.55 × `tryPromise` of a promise by hand",
    order: "ns",
    show: ({ ns = Number.NaN, ratio = Number.NaN }) => `${Show.ratio(ratio)} (${Show.nanos(ns)})`
  }],
  measure: async ({ isQuick, issuer, programs }) => {
    const program = await programs.around("Fiber", ours)
    const taken = await Turns.take(isQuick ? 1 : 5, {
      all: () => programs.run(program, { issuer: issuer.url, samples: isQuick ? 7 : 15 })
    })
    const figure = medians(taken["all"] ?? [])
    const names = Object.keys(figure).filter((name) => !name.endsWith("/ratio"))
    return {
      fiber: Object.fromEntries(
        names.map((name) => [name, { ns: figure[name] ?? Number.NaN, ratio: figure[`${name}/ratio`] ?? Number.NaN }])
      )
    }
  }
}
