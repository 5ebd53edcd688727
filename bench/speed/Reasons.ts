/**
 * Why a row that misses its target does so, by its id. Printed below the table for as long as it does.
 */
export const reasons: Readonly<Record<string, string>> = {
  layer:
    "`Config` and `Schema` of Effect are 14 kB of it: one reads the environment, the other credentials as JSON of a "
    + "schema. What uses them already pays nothing for it."
}
