import type { Client } from "../Client.ts"

export const simpleOauth2: Client = {
  name: "simple-oauth2",
  steps: 1,
  make: async ({ id, issuer, secret }, load) => {
    const { ClientCredentials } = await load(() => import("simple-oauth2"), "simple-oauth2")
    const client = new ClientCredentials({
      client: { id, secret: secret() },
      auth: { tokenHost: issuer, tokenPath: "/token" }
    })
    return { getToken: async () => (await client.getToken({})).token["access_token"] }
  }
}
