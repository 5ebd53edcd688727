import { simpleOauth2 } from "../../clients/SimpleOauth2.ts"
import type { Peer } from "../Peer.ts"

export const peer: Peer = {
  ...simpleOauth2,
  module: import.meta.filename,
  entries: [{ from: "simple-oauth2", names: ["ClientCredentials"] }],
  keepsTokens: false
}
