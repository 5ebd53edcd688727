import { msal } from "../../clients/Msal.ts"
import type { Peer } from "../Peer.ts"

export const peer: Peer = {
  ...msal,
  module: import.meta.filename,
  entries: [{ from: "@azure/msal-node", names: ["ConfidentialClientApplication"] }],
  keepsTokens: true
}
