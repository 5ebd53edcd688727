import type { Peer } from "../Peer.ts"
import * as TwoSteps from "./TwoSteps.ts"

const post: TwoSteps.Post = async (url, form) => {
  const headers = { "content-type": "application/x-www-form-urlencoded" }
  return (await fetch(url, { method: "POST", headers, body: form })).json()
}

export const peer: Peer = {
  name: "by hand, over fetch",
  module: import.meta.filename,
  entries: [],
  keepsTokens: true,
  steps: 2,
  make: async (world) => TwoSteps.make(world, post)
}
