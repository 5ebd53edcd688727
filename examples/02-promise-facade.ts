/**
 * The same in plain Node, where nobody has heard of Effect: swap `@coze/workload-identity` for `@effect-identity/client`.
 */
import { Client, ConfigurationError, TokenExchangeError, TokenRetrievalError } from "@effect-identity/client"

try {
  const client = new Client({ timeoutMs: 10_000 })
  const token = await client.getAccessToken({ signal: AbortSignal.timeout(15_000) })
  console.log(`token of ${token.length} characters`)
} catch (error) {
  if (error instanceof ConfigurationError) console.error(error.message)
  else if (error instanceof TokenRetrievalError) console.error("no id token:", error.reason, error.httpStatus)
  else if (error instanceof TokenExchangeError) console.error("no access token:", error.reason, error.logId)
  else throw error
  process.exitCode = 1
}
