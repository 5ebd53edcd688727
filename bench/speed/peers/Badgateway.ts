import { badgateway } from "../../clients/Badgateway.ts"
import type { Peer } from "../Peer.ts"

export const peer: Peer = {
  ...badgateway,
  module: import.meta.filename,
  entries: [{ from: "@badgateway/oauth2-client", names: ["OAuth2Client", "OAuth2Fetch"] }],
  keepsTokens: true
}
