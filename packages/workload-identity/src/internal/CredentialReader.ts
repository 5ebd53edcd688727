/**
 * Loads what reads credentials by a schema when the first one is to be read.
 */
import * as Effect from "effect/Effect"

export const load = Effect.promise(() => import("./CredentialJson.ts"))
