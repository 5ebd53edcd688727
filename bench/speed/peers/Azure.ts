import { type Entry, type Peer } from "../Peer.ts"

const authority = "https://login.example"

const configuration = JSON.stringify({
  token_endpoint: `${authority}/tenant/token`,
  authorization_endpoint: `${authority}/tenant/authorize`,
  issuer: authority,
  jwks_uri: `${authority}/tenant/keys`
})

const entries: ReadonlyArray<Entry> = [{
  from: "@azure/identity",
  names: ["ClientSecretCredential", "getBearerTokenProvider"]
}]

export const peer: Peer = {
  name: "@azure/identity",
  module: import.meta.filename,
  entries,
  keepsTokens: true,
  steps: 1,
  make: async ({ id, issuer, secret }, load) => {
    const { ClientSecretCredential, getBearerTokenProvider } = await load(
      () => import("@azure/identity"),
      "@azure/identity"
    )
    const credential = new ClientSecretCredential("tenant", id, secret(), {
      authorityHost: authority,
      disableInstanceDiscovery: true,
      additionalPolicies: [{
        position: "perRetry",
        policy: {
          name: "to-issuer",
          // It insists on https: its own transport sends what goes there to the issuer at hand.
          sendRequest: async (request, next) => {
            if (request.url.includes("openid-configuration")) {
              return { request, status: 200, headers: request.headers, bodyAsText: configuration }
            }
            request.url = `${issuer}/token`
            request.allowInsecureConnection = true
            return next(request)
          }
        }
      }]
    })
    return { getToken: getBearerTokenProvider(credential, "api/.default") }
  }
}
