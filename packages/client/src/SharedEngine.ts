/**
 * The one engine of a process: the first copy of this package that is asked puts its own where the others find it, so
 * that all of them share one cache.
 */
import { abi, type Engine } from "./Engine.ts"
import * as MachineryPlace from "./MachineryPlace.ts"

const place = Symbol.for(`@effect-identity/client/engine/${abi}`)

const registry: typeof globalThis & { [place]?: Engine } = globalThis

export const get = (): Engine => registry[place] ??= MachineryPlace.get().makeEngine()
