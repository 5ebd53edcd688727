/**
 * Someone else's API, asked through the outbound proxy, which puts the real key in the place of the placeholder.
 */
import { http, WorkloadIdentityError } from "@effect-identity/client"

try {
  const response = await http.get("https://api.example.com/health", {
    headers: { authorization: "Bearer COZE_CRED_DUMMY_42" }
  })
  console.log(response.status, await response.text())
} catch (error) {
  if (!(error instanceof WorkloadIdentityError)) throw error
  console.error(error.reason, error.detail, error.httpStatus)
  process.exitCode = 1
} finally {
  await http.close()
}
