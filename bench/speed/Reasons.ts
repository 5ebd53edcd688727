/**
 * Why a row that misses its target does so, by its id. Printed below the table for as long as it does.
 */
export const reasons: Readonly<Record<string, string>> = {
  facade:
    "Only 3 kB of it are loaded with the program. The rest comes with the first client: most of that is Effect with its "
    + "HTTP client over `node:http`, and the proxy, diagnosis and project variables that are in the same file.",
  layer:
    "42 kB of it are Effect: its runtime, its HTTP client with the streams that bodies are read by, and its metrics. The "
    + "packages themselves are 17 kB."
}
