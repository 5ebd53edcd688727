/**
 * What commands work with: the stores of the settings, without a server.
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Settings from "../../Settings.ts"
import * as Services from "../operation/Services.ts"

type Stores = Layer.Success<ReturnType<typeof Services.stores>>

/** Runs a command on the database of the settings, and says in one line why it failed. */
export const withStores = <A, E extends { readonly message: string }>(command: Effect.Effect<A, E, Stores>) =>
  Effect.flatMap(Settings.read, (settings) => Effect.provide(command, Services.stores(settings))).pipe(
    Effect.tapError(({ message }) => Console.error(`token-server: ${message}`))
  )
