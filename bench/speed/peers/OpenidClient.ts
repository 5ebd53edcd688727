import { openidClient } from "../../clients/OpenidClient.ts"
import type { Peer } from "../Peer.ts"

export const peer: Peer = {
  ...openidClient,
  module: import.meta.filename,
  entries: [{ from: "openid-client", names: ["Configuration", "allowInsecureRequests", "clientCredentialsGrant"] }],
  keepsTokens: false
}
