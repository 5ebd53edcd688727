/**
 * An issuer that is down, slow or busy.
 */
import { setTimeout as wait } from "node:timers/promises"
import { silent } from "../Listening.ts"
import { isToken, reads, type Scenario, seconds, settled, type Stage } from "../Scenario.ts"

/** A token that is a little past the half of its life, when its issuer fails. */
const soft = (mode: "503" | "hang", title: string): Scenario => ({
  title,
  good: /^10 of 10$/,
  ...(mode === "hang" && { triesTransport: true as const }),
  run: async (stage) => {
    stage.issuer.expiresIn = "6"
    const subject = await stage.make()
    await subject.getToken()
    stage.issuer.mode = mode
    await wait(3500)
    return `${await reads(subject, 10)} of 10`
  }
})

const givesUp = async (ask: () => Promise<unknown>) => {
  const started = performance.now()
  await settled(ask)
  return `after ${seconds(performance.now() - started)}`
}

const hanging = (mode: "hang" | "drip", title: string): Scenario => ({
  title,
  good: /^after \d+\.\d s$/,
  triesTransport: true,
  run: async (stage) => {
    stage.issuer.mode = mode
    return givesUp((await stage.make()).getToken)
  }
})

const busy = (mode: "503, once" | "429, once", title: string, good: RegExp): Scenario => ({
  title,
  good,
  run: async (stage: Stage) => {
    stage.issuer.mode = mode
    const { getToken } = await stage.make()
    const started = performance.now()
    const { value } = await settled(getToken)
    return isToken(value) ? `token after ${seconds(performance.now() - started)}` : "gives up at once"
  }
})

export const outage: Readonly<Record<string, Scenario>> = {
  "4": soft("503", "token of 6 s, 3.5 s old, issuer answers 503: reads served"),
  "5": soft("hang", "token of 6 s, 3.5 s old, issuer hangs: reads served"),
  "6": {
    title: "token ended, issuer answers 503, 20 reads: token requests",
    good: /^[1-3]$/,
    run: async (stage) => {
      stage.issuer.expiresIn = "2"
      const subject = await stage.make()
      await subject.getToken()
      stage.issuer.mode = "503"
      await wait(2200)
      const before = stage.issuer.requests
      await reads(subject, 20)
      // Nobody gets further than the first step.
      return String(stage.issuer.requests - before)
    }
  },
  "9a": hanging("hang", "issuer never answers: gives up"),
  "9b": hanging("drip", "issuer sends its answer byte by byte: gives up"),
  "9c": {
    title: "connection never made (TLS): gives up",
    good: /^after \d+\.\d s$/,
    triesTransport: true,
    run: async (stage) => givesUp((await stage.make({ issuer: await silent() })).getToken)
  },
  "10a": busy("503, once", "503 with `Retry-After: 1`, then good", /^token after 1\.\d s$/),
  "10b": busy("429, once", "429 with a date two seconds ahead, then good", /^token after [12]\.\d s$/),
  "14": {
    title: "first of 10 callers leaves; then all leave",
    good: /^9 of 9 served; request closed$/,
    run: async (stage) => {
      stage.issuer.mode = "slow"
      const { cancellable } = await stage.make()
      if (cancellable === undefined) return "nobody can leave"
      const leaving = new AbortController()
      const first = settled(() => cancellable(leaving.signal))
      const others = Array.from({ length: 9 }, () => settled(() => cancellable(new AbortController().signal)))
      await wait(50)
      leaving.abort()
      const served = (await Promise.all(others)).filter(({ error }) => error === undefined).length
      await first
      const other = await stage.make({ id: "other" })
      const abandonedBefore = stage.issuer.abandoned
      const all = new AbortController()
      const waiting = Array.from({ length: 10 }, () => settled(() => other.cancellable?.(all.signal) ?? first))
      await wait(50)
      all.abort()
      await Promise.all(waiting)
      await wait(100)
      const isClosed = stage.issuer.abandoned > abandonedBefore
      return `${served} of 9 served; request ${isClosed ? "closed" : "goes on"}`
    }
  }
}
