/**
 * What one server knows of all keys. A slot that is forgotten may still be filled by a flight that was in the air, but nobody
 * finds it any more.
 */
import { Slot } from "./Slot.ts"

export class Slots {
  readonly #realms = new Map<string, Map<string, Slot>>()

  find(realm: string, key: string): Slot | undefined {
    return this.#realms.get(realm)?.get(key)
  }

  use(realm: string, key: string): Slot {
    const found = this.find(realm, key)
    if (found !== undefined) return found
    const slot = new Slot(realm, key)
    const keys = this.#realms.get(realm)
    if (keys === undefined) this.#realms.set(realm, new Map([[key, slot]]))
    else keys.set(key, slot)
    return slot
  }

  drop(slot: Slot): void {
    if (this.find(slot.realm, slot.key) === slot) this.forget(slot.realm, slot.key)
  }

  forget(realm: string, key: string | undefined): void {
    const keys = this.#realms.get(realm)
    if (keys === undefined) return
    if (key !== undefined) keys.delete(key)
    if (key === undefined || keys.size === 0) this.#realms.delete(realm)
  }
}
