/**
 * A variable of the environment, as it stands there.
 */
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"

/**
 * The text of a variable, through whatever `ConfigProvider` is installed. `effect/Config` would read it by a schema, which
 * makes a bundle larger by a quarter and says nothing more about a text.
 */
export const read = (name: string): Effect.Effect<string | undefined, ConfigProvider.SourceError> =>
  Effect.flatMap(
    ConfigProvider.ConfigProvider,
    (provider) => Effect.map(provider.load([name]), (node) => node?.value)
  )
