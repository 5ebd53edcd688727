import type { Peer } from "../Peer.ts"

export const peer: Peer = {
  name: "oauth4webapi",
  module: import.meta.filename,
  entries: [{
    from: "oauth4webapi",
    names: [
      "ClientSecretPost",
      "clientCredentialsGrantRequest",
      "processClientCredentialsResponse",
      "genericTokenEndpointRequest",
      "processGenericTokenEndpointResponse"
    ]
  }],
  keepsTokens: false,
  steps: 2,
  make: async ({ id, issuer, secret }, load) => {
    const oauth = await load(() => import("oauth4webapi"), "oauth4webapi")
    const server = { issuer, token_endpoint: `${issuer}/token` }
    const client = { client_id: id }
    const authentication = oauth.ClientSecretPost(secret())
    const options = { [oauth.allowInsecureRequests]: true }
    const getToken = async () => {
      const first = await oauth.processClientCredentialsResponse(
        server,
        client,
        await oauth.clientCredentialsGrantRequest(server, client, authentication, {}, options)
      )
      const second = await oauth.processGenericTokenEndpointResponse(
        server,
        client,
        await oauth.genericTokenEndpointRequest(
          server,
          client,
          authentication,
          "urn:ietf:params:oauth:grant-type:token-exchange",
          { subject_token: first.access_token },
          options
        )
      )
      return second.access_token
    }
    return { getToken }
  }
}
