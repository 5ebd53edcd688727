/**
 * The outbound proxy of the environment, and the certificates it is trusted by.
 */
import * as MachineryPlace from "./MachineryPlace.ts"

/**
 * The URL of the outbound proxy, with `space` and the identity ticket in it, percent-encoded; `null` when no proxy is
 * set. Throws `ConfigurationError` when the proxy is set without `identity_ticket`.
 *
 * @stability stable
 * @category proxy
 * @since 0.1.0
 */
export const httpsProxy = (): string | null => MachineryPlace.get().httpsProxy()

/**
 * The path of the certificates to trust besides the default ones; `null` when none are set. Certificates that were set
 * as text are written to a private file first, which is removed when the process ends. Throws `ConfigurationError` when
 * they cannot be used.
 *
 * @stability stable
 * @category proxy
 * @since 0.1.0
 */
export const caBundlePath = (): string | null => MachineryPlace.get().caBundlePath()
