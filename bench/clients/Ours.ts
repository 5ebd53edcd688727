import { rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Client } from "../Client.ts"

export const ours: Client = {
  name: "@effect-identity/client",
  steps: 2,
  make: async ({ api, id, issuer, secret }, load) => {
    const file = join(tmpdir(), `bench-secret-${process.pid}`)
    const rotate = (value: string) => writeFileSync(file, value, { mode: 0o600 })
    rotate(secret())
    process.once("exit", () => rmSync(file, { force: true }))
    Object.assign(process.env, {
      COZE_WORKLOAD_IDENTITY_CLIENT_ID: id,
      COZE_WORKLOAD_IDENTITY_CLIENT_SECRET_FILE: file,
      COZE_WORKLOAD_IDENTITY_TOKEN_ENDPOINT: `${issuer}/token`,
      COZE_WORKLOAD_ACCESS_TOKEN_ENDPOINT: `${issuer}/token`,
      COZE_OUTBOUND_AUTH_ENDPOINT: api
    })
    const { Client } = await load(() => import("@effect-identity/client"), "@effect-identity/client")
    const client = new Client()
    return {
      getToken: () => client.getAccessToken(),
      call: () => client.getIntegrationCredential("mail"),
      cancellable: (signal) => client.getAccessToken({ signal }),
      rotate
    }
  },
  throughProxy: async ({ proxy }, url) => {
    const { password = "", origin } = new URL(proxy?.url ?? "")
    Object.assign(process.env, {
      COZE_OUTBOUND_AUTH_PROXY: origin,
      identity_ticket: password,
      COZE_OUTBOUND_AUTH_PROXY_CA: proxy?.ca
    })
    const { createHttpClient } = await import("@effect-identity/client")
    return (await createHttpClient().post(url, { body: "a=b" })).status
  }
}
