/**
 * The slots of all keys, the least recently used one first.
 */
import { Slot } from "./Slot.ts"

export class Slots {
  readonly #capacity: number
  readonly #slots = new Map<string, Slot>()
  /** The one used last, which is at the end already. */
  #newest: { readonly key: string; readonly slot: Slot } | undefined

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  find(key: string): Slot | undefined {
    return this.#newest?.key === key ? this.#newest.slot : this.#slots.get(key)
  }

  /** The slot of `key`, now the most recently used one. */
  use(key: string): Slot {
    if (this.#newest?.key === key) return this.#newest.slot
    const slot = this.#slots.get(key) ?? new Slot()
    this.#slots.delete(key)
    this.#slots.set(key, slot)
    this.#newest = { key, slot }
    return slot
  }

  /** Gives up what is too much. A slot with a flight stays. */
  evict(): void {
    let excess = this.#slots.size - this.#capacity
    if (excess <= 0) return
    for (const [key, slot] of this.#slots) {
      if (slot.isFlying) continue
      this.#slots.delete(key)
      if (this.#newest?.key === key) this.#newest = undefined
      if (--excess === 0) return
    }
  }
}
