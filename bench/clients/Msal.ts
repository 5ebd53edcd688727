import type { Client } from "../Client.ts"

const authority = "https://login.example/tenant"

export const msal: Client = {
  name: "@azure/msal-node",
  steps: 1,
  transport: "of the bench",
  make: async ({ id, issuer, secret }, load) => {
    const { ConfidentialClientApplication } = await load(() => import("@azure/msal-node"), "@azure/msal-node")
    const app = new ConfidentialClientApplication({
      auth: {
        clientId: id,
        clientSecret: secret(),
        authority,
        authorityMetadata: JSON.stringify({
          token_endpoint: `${authority}/token`,
          authorization_endpoint: `${authority}/authorize`,
          issuer: authority,
          jwks_uri: `${authority}/keys`,
          end_session_endpoint: `${authority}/logout`
        }),
        cloudDiscoveryMetadata: JSON.stringify({
          tenant_discovery_endpoint: authority,
          metadata: [{
            preferred_network: "login.example",
            preferred_cache: "login.example",
            aliases: ["login.example"]
          }]
        }),
        knownAuthorities: ["login.example"]
      },
      system: {
        // Its own insists on a real https authority.
        networkClient: {
          sendGetRequestAsync: () => Promise.reject(new Error("not asked here")),
          sendPostRequestAsync: async (_url, options) => {
            const response = await fetch(`${issuer}/token`, {
              method: "POST",
              headers: { "content-type": "application/x-www-form-urlencoded" },
              body: options?.body ?? ""
            })
            return {
              status: response.status,
              headers: Object.fromEntries(response.headers),
              body: await response.json()
            }
          }
        }
      }
    })
    return {
      getToken: async () => (await app.acquireTokenByClientCredential({ scopes: ["api/.default"] }))?.accessToken
    }
  }
}
