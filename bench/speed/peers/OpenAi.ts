import type { Peer } from "../Peer.ts"

export const peer: Peer = {
  name: "openai",
  module: import.meta.filename,
  entries: [{ from: "openai/auth/workload-identity-auth", names: ["WorkloadIdentityAuth"] }],
  keepsTokens: true,
  steps: 1,
  make: async ({ id, issuer, secret }, load) => {
    const { WorkloadIdentityAuth } = await load(
      () => import("openai/auth/workload-identity-auth"),
      "openai/auth/workload-identity-auth"
    )
    const tokens = new WorkloadIdentityAuth(
      {
        clientId: id,
        identityProviderId: "idp",
        serviceAccountId: "account",
        provider: { tokenType: "jwt", getToken: async () => secret() }
      },
      // The address of its token endpoint is fixed.
      (_url, init) => fetch(`${issuer}/token`, init)
    )
    return { getToken: () => tokens.getToken() }
  }
}
