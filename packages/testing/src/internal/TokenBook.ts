/**
 * Tokens that end each other: a new one of a kind shortens the life of the one before.
 */
export interface Terms {
  readonly now: number
  readonly lifetime: number
  readonly overlap: number
}

export interface Entry {
  readonly token: string
  readonly expiresAt: number
}

export const make = () => {
  const ends = new Map<string, number>()
  const latest = new Map<string, Entry>()
  const tokens: Array<string> = []

  const replace = (kind: string, { lifetime, now, overlap }: Terms): Entry => {
    const before = latest.get(kind)
    if (before !== undefined) {
      ends.set(before.token, Math.min(ends.get(before.token) ?? 0, now + overlap))
    }
    const entry = { token: `${kind}-${tokens.length + 1}-${crypto.randomUUID()}`, expiresAt: now + lifetime }
    latest.set(kind, entry)
    ends.set(entry.token, entry.expiresAt)
    tokens.push(entry.token)
    return entry
  }

  const isGood = (token: string, now: number): boolean => (ends.get(token) ?? 0) > now

  /** The one there is, until less than the overlap is left of it. */
  const keep = (kind: string, terms: Terms): Entry => {
    const current = latest.get(kind)
    return current !== undefined && isGood(current.token, terms.now + terms.overlap) ? current : replace(kind, terms)
  }

  return { tokens, replace, keep, isGood, revokeAll: () => ends.clear() }
}
