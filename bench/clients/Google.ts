import type { Client } from "../Client.ts"

export const google: Client = {
  name: "google-auth-library",
  steps: 1,
  make: async ({ api, id, issuer, secret }, load) => {
    const { OAuth2Client } = await load(() => import("google-auth-library"), "google-auth-library")
    const client = new OAuth2Client({
      clientId: id,
      clientSecret: secret(),
      endpoints: { oauth2TokenUrl: `${issuer}/token` },
      // Off by default: without it a refused token is never replaced.
      forceRefreshOnFailure: true
    })
    client.setCredentials({ refresh_token: "refresh-token" })
    return {
      getToken: async () => (await client.getAccessToken()).token,
      read: () => client.getAccessToken(),
      call: () => client.request({ url: api })
    }
  },
  throughProxy: async ({ proxy }, url) => {
    const { gaxios } = await import("google-auth-library")
    return new gaxios.Gaxios({ proxy: proxy?.url ?? "" }).request({ url, method: "POST", data: "a=b" })
  }
}
