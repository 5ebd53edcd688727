/**
 * What a key costs that a token is held for.
 */
import { ours } from "../Peers.ts"
import type { Figure, Measurement } from "../Row.ts"
import * as Show from "../Show.ts"
import { medians } from "../Statistics.ts"
import * as Turns from "../Turns.ts"

const keys = 100_000

const subjects = [
  "by hand",
  "this",
  "Cache of Effect",
  "google-auth-library",
  "@badgateway/oauth2-client",
  "@smithy/core"
]

export const keyed: Measurement = {
  rows: [{
    id: "keys",
    title: "memory of a key, 100,000 of them held",
    targets: [{ of: "bytes", atMost: 350 }],
    mustReach: "350 bytes",
    order: "bytes",
    show: ({ bytes = Number.NaN }) => Show.bytes(bytes)
  }],
  measure: async ({ isQuick, programs }) => {
    const program = await programs.around("Keys", ours)
    const measures = Object.fromEntries(
      subjects.map((subject): [string, () => Promise<Figure>] => [
        subject,
        () => programs.run(program, { subject, keys }, ["--expose-gc"])
      ])
    )
    const taken = await Turns.take(isQuick ? 1 : 3, measures)
    return { keys: Turns.mapped(taken, (figures) => ({ bytes: medians(figures)["bytes"] ?? Number.NaN })) }
  }
}
