/**
 * Numbers made of many.
 */

/** The middle of them, or between the two in the middle. Not a number when there are none. */
export const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((left, right) => left - right)
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN
  return (lower + upper) / 2
}

/** Each metric's median over figures that have the same ones. */
export const medians = (figures: ReadonlyArray<Readonly<Record<string, number>>>): Readonly<Record<string, number>> =>
  Object.fromEntries(
    Object.keys(figures[0] ?? {}).map((
      metric
    ) => [metric, median(figures.map((figure) => figure[metric] ?? Number.NaN))])
  )

/** The middle of what one has over the other, as they were measured in turns. */
export const medianDifference = (values: ReadonlyArray<number>, than: ReadonlyArray<number>): number =>
  median(values.map((value, nth) => value - (than[nth] ?? Number.NaN)))
