/**
 * Answers that were ordered in advance: for each step, one for each of the next requests.
 */
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import type { Answer } from "../Answer.ts"
import type { RecordedRequest } from "../RecordedRequest.ts"

type Step = RecordedRequest["step"]

export const make = Effect.gen(function*() {
  const ordered = yield* Ref.make<ReadonlyMap<Step, ReadonlyArray<Answer>>>(new Map())

  const order = (step: Step, answers: ReadonlyArray<Answer>) =>
    Ref.update(ordered, (all) => new Map(all).set(step, [...all.get(step) ?? [], ...answers]))

  const next = (step: Step) =>
    Ref.modify(ordered, (all) => {
      const [answer, ...rest] = all.get(step) ?? []
      return [answer, new Map(all).set(step, rest)]
    })

  const dieOfLeftovers = Effect.flatMap(Ref.get(ordered), (all) => {
    const left = [...all].filter(([, answers]) => answers.length > 0)
    return left.length === 0 ? Effect.void : Effect.die(
      new Error(`scripted answers left over: ${left.map(([step, { length }]) => `${length} for ${step}`).join(", ")}`)
    )
  })

  return { order, next, dieOfLeftovers }
})
