/**
 * The same in plain Node, in the shape of `fetch`, with a token for each of two scopes, which never share one.
 */
import { ApiError, createApiClient } from "@effect-identity/api-client/promise"

const client = createApiClient({
  baseUrl: process.env["A55_BASE_URL"] ?? "https://core-manager.a55.tech/api/v1",
  tokenEndpoint: process.env["A55_TOKEN_ENDPOINT"]
    ?? "https://smart-capital.auth.us-east-1.amazoncognito.com/oauth2/token",
  clientId: process.env["A55_CLIENT_ID"] ?? "",
  clientSecret: process.env["A55_CLIENT_SECRET"] ?? "",
  scope: "wallets/read"
})
const writer = client.withGrant({ scope: "wallets/write" })

try {
  console.log(await client.request("GET", "wallets"))
  const response = await writer.fetch("/wallets", { method: "POST", body: JSON.stringify({ currency: "BRL" }) })
  console.log(response.status, await client.tokenRequests())
} catch (error) {
  if (!(error instanceof ApiError)) throw error
  console.error(error.status, error.code, error.retryAfterMs)
  process.exitCode = 1
}
