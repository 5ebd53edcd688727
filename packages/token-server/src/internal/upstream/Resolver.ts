/**
 * The addresses behind a host name.
 */
import type { Reason } from "@effect-identity/oauth/OAuthError"
import * as SecureRequest from "@effect-identity/oauth/SecureRequest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Dns from "node:dns/promises"

export interface Resolver {
  readonly resolve: (hostname: string) => Effect.Effect<ReadonlyArray<string>, Reason>
}

/** By default as the system resolves: with its hosts file, in the order it prefers. */
export const Resolver: Context.Reference<Resolver> = Context.Reference(
  "@effect-identity/token-server/internal/upstream/Resolver",
  {
    defaultValue: (): Resolver => ({
      resolve: (hostname) =>
        Effect.tryPromise({
          try: () => Dns.lookup(hostname, { all: true, verbatim: true }),
          catch: SecureRequest.reasonOf
        }).pipe(Effect.map((found) => found.map(({ address }) => address)))
    })
  }
)
