/**
 * Why a row that misses its target does so, by its id. Printed below the table for as long as it does.
 */
export const reasons: Readonly<Record<string, string>> = {
  layer:
    "42 kB of it are Effect: its runtime, its HTTP client with the streams that bodies are read by, and its metrics. The "
    + "packages themselves are 17 kB."
}
