/**
 * The server: realms, secrets and tokens in a database, behind an HTTP API.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Running from "./internal/operation/Running.ts"
import * as Services from "./internal/operation/Services.ts"
import type { StartError } from "./internal/operation/StartError.ts"
import type { Settings } from "./Settings.ts"

/**
 * A server that listens.
 *
 * @stability unstable
 * @category services
 * @since 0.1.0
 */
export class TokenServer extends Context.Service<TokenServer, {
  /** Where it listens, `http://127.0.0.1:8787`. */
  readonly origin: string
  /**
   * Waits until the database is there, and gives the first key of an administrator if it had to be made: no server of this
   * database ever gives it again. Fails when it is clear that waiting is in vain.
   */
  readonly ready: Effect.Effect<{ readonly firstKey: Redacted.Redacted | undefined }, StartError>
}>()("@effect-identity/token-server/TokenServer") {}

/**
 * Serves everything until the scope closes, and then answers what was asked before it stops.
 *
 * A database that cannot be reached is waited for: `GET /readyz` says so meanwhile, and so does `ready`. Fails with
 * `StartError` where the address is taken, where master keys are missing, lost or wrong.
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layer = (settings: Settings): Layer.Layer<TokenServer, StartError> =>
  Layer.effect(TokenServer, Running.make(settings, Services.layer(settings)))
