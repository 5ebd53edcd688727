import { google } from "../../clients/Google.ts"
import type { Peer } from "../Peer.ts"

export const peer: Peer = {
  ...google,
  module: import.meta.filename,
  entries: [{ from: "google-auth-library", names: ["OAuth2Client"] }],
  keepsTokens: true
}
