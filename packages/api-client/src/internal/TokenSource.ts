/**
 * The tokens of a client, one for each scope and audience, and how many requests they took.
 */
import * as BearerAuth from "@effect-identity/oauth/BearerAuth"
import * as ClientCredentials from "@effect-identity/oauth/ClientCredentials"
import * as Fingerprint from "@effect-identity/oauth/Fingerprint"
import type { OAuthError } from "@effect-identity/oauth/OAuthError"
import { TokenCache } from "@effect-identity/oauth/TokenCache"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type { Grant, TokenRequests } from "../ApiClient.ts"
import type { Settings } from "./Settings.ts"

/** The order of scopes means nothing (RFC 6749 §3.3). */
const sorted = (scope: string | undefined): string | null =>
  scope === undefined ? null : Array.from(new Set(scope.split(" "))).toSorted().join(" ")

export const make = Effect.fnUntraced(function*(settings: Settings) {
  const cache = yield* TokenCache
  const { clientAuth, clientId, clientSecret, endpoint } = settings
  const identity = [endpoint.url.href, clientId, yield* Fingerprint.make(clientSecret), clientAuth]
  let sent = 0
  let granted = 0

  const client = HttpClient.tapRequest(yield* HttpClient.HttpClient, () =>
    Effect.sync(() => {
      sent++
    }))

  const tokensOf = ({ audience, scope }: Grant): BearerAuth.Tokens<OAuthError> => {
    // In a form in which no two differ by a delimiter only.
    const key = JSON.stringify(["client_credentials", ...identity, sorted(scope), audience ?? null])
    const source = ClientCredentials.token({ endpoint, clientId, clientSecret, clientAuth, scope, audience }).pipe(
      Effect.tap(() =>
        Effect.sync(() => {
          granted++
        })
      ),
      Effect.provideService(HttpClient.HttpClient, client)
    )
    return BearerAuth.fromCache(cache, key, source)
  }

  return { tokensOf, requests: Effect.sync((): TokenRequests => ({ sent, granted })) }
})
