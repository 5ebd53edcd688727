/**
 * Where the machinery comes from. The entry says it, before anyone asks.
 */
import type * as Machinery from "./Machinery.ts"

let load: (() => typeof Machinery) | undefined
let loaded: typeof Machinery | undefined

export const loadBy = (how: () => typeof Machinery): void => {
  load = how
}

export const get = (): typeof Machinery => {
  loaded ??= load?.()
  if (loaded === undefined) throw new Error("the entry of @effect-identity/client was not loaded")
  return loaded
}
