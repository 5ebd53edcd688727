// @effect-diagnostics globalDate:off
import type { Peer } from "../Peer.ts"

export const peer: Peer = {
  name: "@smithy/core",
  module: import.meta.filename,
  entries: [{
    from: "@smithy/core",
    names: ["memoizeIdentityProvider", "isIdentityExpired", "doesIdentityRequireRefresh"]
  }],
  keepsTokens: true,
  steps: 1,
  transport: "of the bench",
  make: async ({ id, issuer, secret }, load) => {
    const { doesIdentityRequireRefresh, isIdentityExpired, memoizeIdentityProvider } = await load(
      () => import("@smithy/core"),
      "@smithy/core"
    )
    // It remembers what another gets: here a fetch.
    const provider = async () => {
      const body = new URLSearchParams({ grant_type: "client_credentials", client_id: id, client_secret: secret() })
      const answer: { readonly access_token: string; readonly expires_in: number } =
        await (await fetch(`${issuer}/token`, { method: "POST", body })).json()
      return { token: answer.access_token, expiration: new Date(Date.now() + answer.expires_in * 1000) }
    }
    const memoized = memoizeIdentityProvider(provider, isIdentityExpired, doesIdentityRequireRefresh)
    if (memoized === undefined) throw new Error("it takes every provider")
    return { getToken: async () => (await memoized()).token, read: () => memoized() }
  }
}
