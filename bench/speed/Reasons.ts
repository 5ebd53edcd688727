/**
 * Why a row that misses its target does so, by its id. Printed below the table for as long as it does.
 */
export const reasons: Readonly<Record<string, string>> = {
  sequential:
    "One clock is looked at, as by hand; the rest is the way through client, identity and cache, each of which may have to say no.",
  concurrent:
    "One clock is looked at, as by hand; the rest is the way through client, identity and cache, each of which may have to say no.",
  fiber: "The clock is the one of the fiber, so that programs can be tested with another, and every answer is counted.",
  stampede: "Ten thousand promises are made and settled, whatever they wait for.",
  import: "To import an empty package takes 3 to 4 ms on this machine, beside which the facade cannot be told from it.",
  firstToken:
    "With the first client 47 kB of compressed code are read and compiled, 29 kB of them Effect, and Node's cryptography is loaded "
    + "for the fingerprint of the secret: that is the difference.",
  memory: "What is read with the first client, and compiled, is most of it: see the size of the bundle.",
  keys:
    "16 bytes of it are the part of a millisecond in the reading of the monotonic clock, which tells whether a token was asked for "
    + "before a request or after it.",
  facade:
    "Only 3 kB of it are loaded with the program. The rest comes with the first client: 29 kB of that are Effect; 18 kB are the token "
    + "cache, the two steps with their strict readers, proxy, diagnosis and project variables.",
  layer:
    "39 kB of it are Effect: its runtime, its HTTP client with the streams that bodies are read by, and its metrics. The "
    + "packages themselves are 17 kB."
}
