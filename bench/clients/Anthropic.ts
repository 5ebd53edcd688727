import type { Client } from "../Client.ts"

export const anthropic: Client = {
  name: "@anthropic-ai/sdk",
  steps: 1,
  make: async ({ api, issuer, secret }, load) => {
    const { Anthropic } = await load(() => import("@anthropic-ai/sdk"), "@anthropic-ai/sdk")
    const { oidcFederationProvider } = await load(
      () => import("@anthropic-ai/sdk/lib/credentials/oidc-federation"),
      "@anthropic-ai/sdk/lib/credentials/oidc-federation"
    )
    const { TokenCache } = await load(
      () => import("@anthropic-ai/sdk/lib/credentials/token-cache"),
      "@anthropic-ai/sdk/lib/credentials/token-cache"
    )
    let subject = secret()
    const credentials = oidcFederationProvider({
      identityTokenProvider: () => subject,
      federationRuleId: "rule",
      organizationId: "organization",
      baseURL: issuer,
      fetch
    })
    const tokens = new TokenCache(credentials)
    const client = new Anthropic({ credentials, baseURL: api })
    return {
      getToken: () => tokens.getToken(),
      call: () => client.get("/things"),
      cancellable: (signal) => client.get("/things", { signal }),
      rotate: (value) => {
        subject = value
      }
    }
  }
}
