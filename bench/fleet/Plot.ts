/**
 * Draws what an issuer sees of fleets of different size.
 */
import * as Svg from "../Svg.ts"
import type * as Fleet from "./Fleet.ts"

const left = 64
const width = 720
const height = 170

interface Scale {
  readonly top: number
  /** The share of the fleet, per second, at the upper end. */
  readonly most: number
  readonly hours: number
}

const percent = (share: number): string => `${Number((share * 100).toPrecision(2))} %`

/** The busiest second of as many as a pixel stands for, so that no peak is lost; the start is not drawn. */
const pixels = ({ requests, setting }: Fleet.Course): ReadonlyArray<number> => {
  const perPixel = requests.length / width
  return Array.from({ length: width }, (_, x) => {
    const seconds = requests.slice(Math.max(1, Math.floor(x * perPixel)), Math.floor((x + 1) * perPixel))
    return Math.max(0, ...seconds) / setting.workloads
  })
}

const points = (course: Fleet.Course, { most, top }: Scale): ReadonlyArray<readonly [number, number]> =>
  pixels(course).map((share, x) => [left + x, top + height * (1 - Math.min(1, share / most))])

const curve = (course: Fleet.Course, scale: Scale, kind: string): string =>
  Svg.path(points(course, scale), { class: kind })

const area = (course: Fleet.Course, scale: Scale): string => {
  const bottom = scale.top + height
  return Svg.path([[left, bottom], ...points(course, scale), [left + width, bottom]], { class: "area" })
}

const axes = ({ hours, most, top }: Scale, title: string, steps: ReadonlyArray<number>): ReadonlyArray<string> => [
  Svg.text(left, top - 14, title, { class: "title" }),
  Svg.path([[left, top], [left, top + height], [left + width, top + height]], { class: "axis" }),
  ...steps.map((share) =>
    Svg.text(left - 8, top + height * (1 - share / most) + 4, percent(share), { class: "quiet", "text-anchor": "end" })
  ),
  ...Array.from(
    { length: hours + 1 },
    (_, hour) =>
      Svg.text(left + width * hour / hours, top + height + 18, `${hour} h`, { class: "quiet", "text-anchor": "middle" })
  )
]

const count = (value: number): string => value.toLocaleString("en-US")

/** The share of the fleet that an issuer should hear from in one second, at most. */
export const limit = 0.05

export interface Courses {
  /** A small fleet and a large one through the same hours. */
  readonly few: Fleet.Course
  readonly many: Fleet.Course
  /** A small one whose issuer is down for a while. */
  readonly down: Fleet.Course
}

export const draw = ({ down, few, many }: Courses): string => {
  const { hours } = many.setting
  const against: Scale = { top: 72, most: 0.055, hours }
  const closer: Scale = { top: 320, most: 0.004, hours }
  const outage: Scale = { top: 568, most: 0.11, hours: down.setting.hours }
  const bound = ({ most, top }: Scale) => {
    const y = top + height * (1 - limit / most)
    return Svg.line(left, y, left + width, y, { class: "limit" })
  }
  const named = (scale: Scale, x: number, kind: string, course: Fleet.Course) =>
    Svg.line(left + x, scale.top + 34, left + x + 24, scale.top + 34, { class: kind })
    + Svg.text(left + x + 30, scale.top + 38, `${count(course.setting.workloads)} workloads`, { class: "quiet" })
  return Svg.drawing(
    left + width + 36,
    790,
    `The share of a fleet that asks for a token in a second, over ${hours} hours`,
    Svg.text(left, 24, "Tokens of an hour, started together. The first second, in which everybody asks, is left out.", {
      class: "quiet"
    }),
    ...axes(against, "Share of the fleet that asks in a second", [0, 0.01, 0.02, 0.03, 0.04, limit]),
    bound(against),
    curve(few, against, "few"),
    curve(many, against, "many"),
    named(against, 430, "many", many),
    named(against, 590, "few", few),
    ...axes(closer, `Closer: ${count(many.setting.workloads)} workloads`, [0, 0.001, 0.002, 0.003, 0.004]),
    area(many, closer),
    curve(many, closer, "many"),
    ...axes(outage, "The issuer is down for ten minutes while all are due, and nobody notices", [
      0,
      0.02,
      0.04,
      0.06,
      0.08,
      0.1
    ]),
    bound(outage),
    curve(down, outage, "few"),
    named(outage, 590, "few", down)
  )
}
