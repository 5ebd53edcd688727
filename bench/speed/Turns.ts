/**
 * Everyone in turns, so that what happens to the machine happens to all of them alike.
 */

/** What each gives in each of the rounds, by name. */
export const take = async <A>(
  rounds: number,
  measures: Readonly<Record<string, () => Promise<A>>>
): Promise<Readonly<Record<string, ReadonlyArray<A>>>> => {
  const taken: Record<string, Array<A>> = {}
  for (let round = 0; round < rounds; round++) {
    for (const [name, measure] of Object.entries(measures)) (taken[name] ??= []).push(await measure())
  }
  return taken
}

/** The same for values of a record. */
export const mapped = <A, B>(
  record: Readonly<Record<string, A>>,
  map: (value: A, name: string) => B
): Record<string, B> => Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value, name)]))
