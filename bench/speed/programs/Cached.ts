/**
 * A token that is held, read as fast as can be, and beside it, in turns, what is written by hand.
 */
import { callOf, type Peer, subjectOf } from "../Peer.ts"
import { peer as byHand } from "../peers/ByHand.ts"
import type { Figure } from "../Row.ts"
import { median } from "../Statistics.ts"
import type * as Loop from "./Loop.ts"

interface Settings {
  readonly issuer: string
  readonly samples: number
}

/** Nanoseconds that one sample takes. */
const sampled = 20e6

type Run = typeof Loop.sequential

const compare = async (
  samples: number,
  [run, call]: readonly [Run, () => Promise<unknown>],
  [runByHand, callByHand]: readonly [Run, () => Promise<unknown>]
): Promise<{ readonly ns: number; readonly ratio: number }> => {
  // Warms both up, and tells how many calls make a sample.
  let [calls, callsByHand] = [2_000, 2_000]
  for (let round = 0; round < 5; round++) {
    calls = Math.ceil(sampled / await run(call, calls))
    callsByHand = Math.ceil(sampled / await runByHand(callByHand, callsByHand))
  }
  const taken: Array<{ readonly ns: number; readonly ratio: number }> = []
  for (let sample = 0; sample < samples; sample++) {
    const [ns, nsByHand] = sample % 2 === 0
      ? [await run(call, calls), await runByHand(callByHand, callsByHand)]
      : [await runByHand(callByHand, callsByHand), await run(call, calls)].toReversed()
    if (ns !== undefined && nsByHand !== undefined) taken.push({ ns, ratio: ns / nsByHand })
  }
  return { ns: median(taken.map(({ ns }) => ns)), ratio: median(taken.map(({ ratio }) => ratio)) }
}

export const run = async (
  peer: Peer,
  { issuer, samples }: Settings,
  [first, second]: readonly [typeof Loop, typeof Loop]
): Promise<Figure> => {
  const call = callOf(await subjectOf(peer, issuer))
  const callByHand = callOf(await subjectOf(byHand, issuer))
  await call()
  await callByHand()
  const sequential = await compare(samples, [first.sequential, call], [second.sequential, callByHand])
  const concurrent = await compare(samples, [first.concurrent, call], [second.concurrent, callByHand])
  return {
    sequential: sequential.ns,
    sequentialRatio: sequential.ratio,
    concurrent: concurrent.ns,
    concurrentRatio: concurrent.ratio
  }
}
