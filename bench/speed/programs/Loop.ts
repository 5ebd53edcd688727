/**
 * Calls one thing over and over. Taken twice by a program that compares two, so that the engine optimises each of them
 * alone.
 */
export const sequential = async (call: () => Promise<unknown>, calls: number): Promise<number> => {
  const from = performance.now()
  for (let nth = 0; nth < calls; nth++) await call()
  return ((performance.now() - from) * 1e6) / calls
}

const together = 1_000

export const concurrent = async (call: () => Promise<unknown>, calls: number): Promise<number> => {
  const rounds = Math.max(1, Math.round(calls / together))
  const waiting: Array<Promise<unknown>> = []
  const from = performance.now()
  for (let round = 0; round < rounds; round++) {
    waiting.length = 0
    for (let nth = 0; nth < together; nth++) waiting.push(call())
    await Promise.all(waiting)
  }
  return ((performance.now() - from) * 1e6) / (rounds * together)
}
