/**
 * Why a row that misses its target does so, by its id. Printed below the table for as long as it does.
 */
export const reasons: Readonly<Record<string, string>> = {}
