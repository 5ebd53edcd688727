import type { Peer } from "../Peer.ts"

export const peer: Peer = {
  name: "@coze/api",
  module: import.meta.filename,
  entries: [{ from: "@coze/api", names: ["refreshOAuthToken"] }],
  keepsTokens: false,
  steps: 1,
  make: async ({ id, issuer, secret }, load) => {
    const { refreshOAuthToken } = await load(() => import("@coze/api"), "@coze/api")
    const config = { baseURL: issuer, clientId: id, clientSecret: secret(), refreshToken: "refresh-token" }
    return { getToken: async () => (await refreshOAuthToken(config)).access_token }
  }
}
