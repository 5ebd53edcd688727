/**
 * The table of a README, made of figures.
 */
import { byHandName, oursName } from "./Peer.ts"
import type { Figure, Figures, Row } from "./Row.ts"

const none = "–"

/** A target that cannot be told is not reached. */
export const holds = ({ targets }: Row, figures: Figures): boolean =>
  targets.every(({ atMost, of }) => (figures[oursName]?.[of] ?? Number.NaN) <= atMost)

const shown = ({ show }: Row, figure: Figure | undefined): string => figure === undefined ? none : show(figure)

/** From the best to the worst of them. */
const others = (row: Row, figures: Figures): string =>
  Object.entries(figures)
    .filter(([name]) => name !== oursName && name !== byHandName)
    .toSorted(([, left], [, right]) => (left[row.order] ?? Infinity) - (right[row.order] ?? Infinity))
    .map(([name, figure]) => `${name} ${row.show(figure)}`)
    .join("; ") || none

const line = (cells: ReadonlyArray<string>): string => `| ${cells.join(" | ")} |`

const cellsOf = (row: Row, figures: Figures): ReadonlyArray<string> => {
  const ours = shown(row, figures[oursName])
  const verdict = holds(row, figures) ? `**${ours}**` : `${ours}: missed`
  return [row.title, verdict, row.mustReach, shown(row, figures[byHandName]), others(row, figures)]
}

/** Rows that were not measured are left out. Those that miss say why, below, as far as it is known. */
export const make = (
  rows: ReadonlyArray<Row>,
  measured: Readonly<Record<string, Figures>>,
  reasons: Readonly<Record<string, string>>
): string => {
  const present = rows.flatMap((row) => {
    const figures = measured[row.id]
    return figures === undefined ? [] : [{ row, figures }]
  })
  const missed = present.filter(({ figures, row }) => !holds(row, figures))
  return [
    line(["", "**this**", "at most", "by hand", "others"]),
    line(["---", "---", "---", "---", "---"]),
    ...present.map(({ figures, row }) => line(cellsOf(row, figures))),
    ...missed.map(({ row: { id, title } }) => `\nMissed: ${title}. ${reasons[id] ?? "The reason is not known yet."}`)
  ].join("\n")
}
