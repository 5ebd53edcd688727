/**
 * The slots of all keys, the least recently used one first.
 */
import { Slot } from "./Slot.ts"

export class Slots {
  readonly #capacity: number
  readonly #slots = new Map<string, Slot>()

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  find(key: string): Slot | undefined {
    return this.#slots.get(key)
  }

  /** The slot of `key`, now the most recently used one. */
  use(key: string): Slot {
    const slot = this.#slots.get(key) ?? new Slot()
    this.#slots.delete(key)
    this.#slots.set(key, slot)
    return slot
  }

  /** Gives up what is too much. A slot with a flight stays. */
  evict(): void {
    let excess = this.#slots.size - this.#capacity
    if (excess <= 0) return
    for (const [key, slot] of this.#slots) {
      if (slot.isFlying) continue
      this.#slots.delete(key)
      if (--excess === 0) return
    }
  }
}
