/**
 * One row of the table: what is measured of everyone, and what this library has to reach.
 */
import type * as Issuer from "../Issuer.ts"
import type { Installed } from "./Installed.ts"
import type { Programs } from "./Program.ts"

/** Numbers by what they count. */
export type Figure = Readonly<Record<string, number>>

/** Figures by who was measured. */
export type Figures = Readonly<Record<string, Figure>>

export interface Target {
  /** The number of the figure that is meant. */
  readonly of: string
  readonly atMost: number
}

export interface Row {
  /** How it is called in `figures.json`. */
  readonly id: string
  readonly title: string
  readonly targets: ReadonlyArray<Target>
  /** What has to be reached, in words. */
  readonly mustReach: string
  /** The number that others are put in order by. */
  readonly order: string
  readonly show: (figure: Figure) => string
}

/** Where things are measured, and how thoroughly. */
export interface Stage {
  readonly isQuick: boolean
  readonly issuer: Issuer.Issuer
  readonly programs: Programs
  readonly installed: Installed
  /** What stands in `figures.json`: what cannot change without a version may be taken from there. */
  readonly earlier: {
    readonly versions: Readonly<Record<string, string>>
    readonly rows: Readonly<Record<string, Figures>>
  }
}

/** Several rows can come of one run. */
export interface Measurement {
  readonly rows: ReadonlyArray<Row>
  readonly measure: (stage: Stage) => Promise<Readonly<Record<string, Figures>>>
}
