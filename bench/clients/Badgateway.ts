import type { Client } from "../Client.ts"

export const badgateway: Client = {
  name: "@badgateway/oauth2-client",
  steps: 1,
  make: async ({ api, id, issuer, secret }, load) => {
    const { OAuth2Client, OAuth2Fetch } = await load(
      () => import("@badgateway/oauth2-client"),
      "@badgateway/oauth2-client"
    )
    const client = new OAuth2Client({
      server: issuer,
      clientId: id,
      clientSecret: secret(),
      tokenEndpoint: "/token"
    })
    const wrapper = new OAuth2Fetch({ client, getNewToken: () => client.clientCredentials() })
    return { getToken: () => wrapper.getAccessToken(), call: () => wrapper.fetch(api) }
  }
}
