/**
 * Lists as the API answers them.
 */
import * as DateTime from "effect/DateTime"
import type { Page, Paging } from "../store/RealmStore.ts"

/** Which part is wanted: as the original server has it, the first ten where nothing is said. */
export const paging = ({ page = 1, pageSize = 10 }: {
  readonly page?: number | undefined
  readonly pageSize?: number | undefined
}): Paging => ({ page, pageSize })

/** The part of a list that is at hand as a whole. */
export const cut = <A>(all: ReadonlyArray<A>, { page, pageSize }: Paging): Page<A> => ({
  list: all.slice((page - 1) * pageSize, page * pageSize),
  total: all.length
})

/** A list in its envelope. */
export const envelope = <A, B>({ list, total }: Page<A>, show: (item: A) => B) => ({
  data: { list: list.map((item) => show(item)), total },
  success: "ok" as const
})

/** A moment of the database. */
export const moment = (millis: number): DateTime.Utc => DateTime.makeUnsafe(millis)

/** One that may not have come. */
export const momentOrNull = (millis: number | undefined): DateTime.Utc | null =>
  millis === undefined ? null : moment(millis)
