import { oursName, type Peer } from "../Peer.ts"

export const peer: Peer = {
  name: oursName,
  module: import.meta.filename,
  entries: [{ from: "@effect-identity/client", names: ["Client"] }],
  keepsTokens: true,
  steps: 2,
  make: async ({ id, issuer, secret }) => {
    Object.assign(process.env, {
      COZE_WORKLOAD_IDENTITY_CLIENT_ID: id,
      COZE_WORKLOAD_IDENTITY_CLIENT_SECRET: secret(),
      COZE_WORKLOAD_IDENTITY_TOKEN_ENDPOINT: `${issuer}/token`,
      COZE_WORKLOAD_ACCESS_TOKEN_ENDPOINT: `${issuer}/token`
    })
    const { Client } = await import("@effect-identity/client")
    const client = new Client()
    return { getToken: () => client.getAccessToken() }
  }
}
