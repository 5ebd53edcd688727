/**
 * Figures as they are read.
 */

/** Rounded up: what is a little more than it may be does not look as if it were not. */
const up = (value: number, digits: number): string => {
  const scale = 10 ** digits
  // What is exact in decimals is not always in the machine.
  return (Math.ceil(Number((value * scale).toFixed(6))) / scale).toFixed(digits)
}

const grouped = (value: number): string => value.toLocaleString("en-US", { maximumFractionDigits: 0 })

export const ratio = (value: number): string => `${up(value, 2)} ×`

export const nanos = (value: number): string => `${grouped(value)} ns`

export const millis = (value: number): string => `${value < 10 ? up(value, 1) : grouped(value)} ms`

export const mebibytes = (value: number): string => `${value < 10 ? up(value, value < 1 ? 2 : 1) : grouped(value)} MiB`

/** Of a thousand bytes each. */
export const kilobytes = (value: number): string => `${up(value / 1_000, 1)} kB`

export const bytes = (value: number): string => `${grouped(Math.ceil(value))} bytes`

export const count = (value: number, noun: string): string => `${grouped(value)} ${noun}${value === 1 ? "" : "s"}`
