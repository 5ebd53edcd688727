/**
 * The life of a token as a drawing: a whole one, how it goes on while the issuer is down, how it ends, and shorter ones.
 */
import * as Svg from "../Svg.ts"
import type { TokenLife } from "./TokenLife.ts"

const left = 24
const width = 772
const bar = 26

/** A stretch of time and where it is drawn. */
interface View {
  readonly top: number
  readonly from: number
  readonly to: number
  readonly width?: number
}

const xOf = ({ from, to, width: wide = width }: View, at: number): number => left + wide * (at - from) / (to - from)

const span = (view: View, from: number, to: number, kind: string): string => {
  const [x1, x2] = [xOf(view, Math.max(from, view.from)), xOf(view, Math.min(to, view.to))]
  return Svg.rect(x1, view.top, x2 - x1, bar, { class: kind })
}

/** What a token is good for, in time. */
const stretches = (view: View, { due, lifetime, usable }: TokenLife): ReadonlyArray<string> =>
  ([
    [0, due.earliest, "fresh"],
    [due.earliest, due.latest, "due"],
    [due.latest, usable, "stale"],
    [usable, lifetime, "over"]
  ] as const)
    .filter(([from, to]) => to > view.from && from < view.to)
    .map(([from, to, kind]) => span(view, from, to, kind))

const tenths = (value: number): number => Math.round(value * 10) / 10

const time = (millis: number): string => {
  const seconds = millis / 1000
  if (seconds >= 120) return `${tenths(seconds / 60)} min`
  return `${seconds >= 30 ? Math.round(seconds) : tenths(seconds)} s`
}

const mark = (view: View, at: number, words: string, anchor: "start" | "middle" | "end" = "middle"): string => {
  const x = xOf(view, at)
  return Svg.line(x, view.top - 5, x, view.top + bar + 5, { class: "mark" })
    + Svg.text(x, view.top + bar + 20, words, { class: "quiet", "text-anchor": anchor })
}

const heading = ({ top }: View, title: string, words: string): ReadonlyArray<string> => [
  Svg.text(left, top - 32, title, { class: "title" }),
  Svg.text(left, top - 13, words, { class: "quiet" })
]

const legend = (top: number): ReadonlyArray<string> =>
  ([
    [0, "fresh", "handed out"],
    [120, "due", "due from a moment in here, drawn once"],
    [400, "stale", "handed out, due since then"],
    [610, "over", "not handed out"]
  ] as const).map(([x, kind, words]) =>
    Svg.rect(left + x, top - 11, 12, 12, { class: kind }) + Svg.text(left + x + 18, top, words, { class: "quiet" })
  )

const whole = (view: View, life: TokenLife): ReadonlyArray<string> => [
  ...heading(
    view,
    `A token of ${time(life.lifetime)}`,
    "Once it is due, the first who asks starts the replacement in the background and is handed this one at once."
  ),
  ...stretches(view, life),
  mark(view, 0, "issued: 0, when it was asked for", "start"),
  mark(view, life.due.earliest, `due: ${time(life.due.earliest)}`),
  mark(view, life.due.latest, `to ${time(life.due.latest)}`),
  mark(view, life.lifetime, `expires: ${time(life.lifetime)}`, "end")
]

/** The first attempts, and the pauses between them. */
const coolDown = (view: View, life: TokenLife): ReadonlyArray<string> => {
  const attempts = life.attempts.filter((at) => at >= view.from && at <= view.to)
  const pauses = life.attempts.slice(1).map((at, nth) => at - (life.attempts[nth] ?? at))
  return [
    ...heading(
      view,
      "The issuer is down: cool-down",
      `${life.attempts.length} attempts before the end, ${time(Math.min(...pauses))} to ${
        time(Math.max(...pauses))
      } apart; `
        + "nobody waits, nobody is told a failure."
    ),
    ...stretches(view, life),
    ...attempts.map((at) => {
      const x = xOf(view, at)
      return Svg.line(x, view.top - 5, x, view.top + bar + 5, { class: "mark" })
    }),
    Svg.text(left, view.top + bar + 20, `attempts from ${time(view.from)}`, { class: "quiet" }),
    Svg.text(left + width, view.top + bar + 20, `to ${time(view.to)}`, { class: "quiet", "text-anchor": "end" })
  ]
}

const ending = (view: View, life: TokenLife): ReadonlyArray<string> => [
  ...heading(
    view,
    "Its last seconds: hand-over minimum",
    `What is handed out is good for ${time(life.lifetime - life.usable)} more at least: time to send it.`
  ),
  ...stretches(view, life),
  mark(view, life.usable, `handed out for the last time: ${time(life.lifetime - life.usable)} before its end`, "end"),
  mark(view, life.lifetime, "expires", "end")
]

const short = (view: View, life: TokenLife): ReadonlyArray<string> => [
  Svg.text(left, view.top + 18, time(life.lifetime)),
  ...stretches({ ...view, width: 380 }, life).map((drawn) => `<g transform="translate(70 0)">${drawn}</g>`),
  Svg.text(
    left + 462,
    view.top + 18,
    `due ${time(life.due.earliest)} to ${time(life.due.latest)}; at the latest ${
      time(life.lifetime - life.due.latest)
    } before its end`,
    { class: "quiet" }
  )
]

export const draw = (long: TokenLife, others: ReadonlyArray<TokenLife>): string => {
  const first = long.attempts[0] ?? long.due.latest
  const shorter = { top: 432, from: 0, to: 0 }
  return Svg.drawing(
    820,
    shorter.top + 36 * others.length + 14,
    `The life of a token of ${time(long.lifetime)}: due, handed out while it is replaced, ended`,
    ...legend(22),
    ...whole({ top: 88, from: 0, to: long.lifetime }, long),
    ...coolDown({ top: 200, from: first - 30_000, to: first + 270_000 }, long),
    ...ending({ top: 312, from: long.lifetime - 10_000, to: long.lifetime }, long),
    ...heading(
      shorter,
      "Shorter lives: margin",
      "Due at the latest a margin before the end; of a short life the margin takes half at most."
    ),
    ...others.flatMap((life, nth) => short({ top: shorter.top + 36 * nth, from: 0, to: life.lifetime }, life))
  )
}
