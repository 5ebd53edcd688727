import type { Client } from "../Client.ts"

export const openidClient: Client = {
  name: "openid-client",
  steps: 1,
  make: async ({ id, issuer, secret }, load) => {
    const client = await load(() => import("openid-client"), "openid-client")
    const config = new client.Configuration({ issuer, token_endpoint: `${issuer}/token` }, id, secret())
    client.allowInsecureRequests(config)
    return { getToken: async () => (await client.clientCredentialsGrant(config)).access_token }
  }
}
