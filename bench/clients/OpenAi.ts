import type { Client } from "../Client.ts"

export const openAi: Client = {
  name: "openai",
  steps: 1,
  make: async ({ api, id, issuer, secret }, load) => {
    const { OpenAI } = await load(() => import("openai"), "openai")
    const { WorkloadIdentityAuth } = await load(
      () => import("openai/auth/workload-identity-auth"),
      "openai/auth/workload-identity-auth"
    )
    let subject = secret()
    // The address of its token endpoint is fixed: this sends what goes there to the issuer at hand.
    const toIssuer = (url: string | URL | Request, init?: RequestInit) =>
      fetch(String(url).startsWith("https://auth.openai.com") ? `${issuer}/token` : url, init)
    const workloadIdentity = {
      clientId: id,
      identityProviderId: "idp",
      serviceAccountId: "account",
      provider: { tokenType: "jwt" as const, getToken: async () => subject }
    }
    const tokens = new WorkloadIdentityAuth(workloadIdentity, toIssuer)
    const client = new OpenAI({ workloadIdentity, baseURL: api, fetch: toIssuer })
    return {
      getToken: () => tokens.getToken(),
      call: () => client.get("/things"),
      cancellable: (signal) => client.get("/things", { signal }),
      rotate: (value) => {
        subject = value
      }
    }
  }
}
