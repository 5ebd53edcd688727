import type { Peer } from "../Peer.ts"

export const peer: Peer = {
  name: "@anthropic-ai/sdk",
  module: import.meta.filename,
  entries: [
    { from: "@anthropic-ai/sdk/lib/credentials/oidc-federation", names: ["oidcFederationProvider"] },
    { from: "@anthropic-ai/sdk/lib/credentials/token-cache", names: ["TokenCache"] }
  ],
  keepsTokens: true,
  steps: 1,
  make: async ({ issuer, secret }, load) => {
    const { oidcFederationProvider } = await load(
      () => import("@anthropic-ai/sdk/lib/credentials/oidc-federation"),
      "@anthropic-ai/sdk/lib/credentials/oidc-federation"
    )
    const { TokenCache } = await load(
      () => import("@anthropic-ai/sdk/lib/credentials/token-cache"),
      "@anthropic-ai/sdk/lib/credentials/token-cache"
    )
    const tokens = new TokenCache(oidcFederationProvider({
      identityTokenProvider: secret,
      federationRuleId: "rule",
      organizationId: "organization",
      baseURL: issuer,
      fetch
    }))
    return { getToken: () => tokens.getToken() }
  }
}
