/**
 * Why a row that misses its target does so, by its id. Printed below the table for as long as it does.
 */
export const reasons: Readonly<Record<string, string>> = {
  sequential: "By hand one clock is looked at; here the monotonic one too, and every answer is counted.",
  concurrent: "By hand one clock is looked at; here the monotonic one too, and every answer is counted.",
  fiber: "The clock is the one of the fiber, so that programs can be tested with another, and every answer is counted.",
  stampede: "Ten thousand promises are made and settled, whatever they wait for.",
  firstToken:
    "With the first client 65 kB of compressed code are read and compiled, most of it Effect: that is the difference.",
  memory: "What is read with the first client, and compiled, is most of it: see the size of the bundle.",
  keys:
    "16 bytes of it are the part of a millisecond in the reading of the monotonic clock, which tells whether a token was asked for "
    + "before a request or after it.",
  facade:
    "Only 3 kB of it are loaded with the program. The rest comes with the first client: most of that is Effect with its "
    + "HTTP client over `node:http`, and the proxy, diagnosis and project variables that are in the same file.",
  layer:
    "42 kB of it are Effect: its runtime, its HTTP client with the streams that bodies are read by, and its metrics. The "
    + "packages themselves are 17 kB."
}
