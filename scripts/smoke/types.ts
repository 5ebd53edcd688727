// What a strict consumer's compiler sees of the facade: everything typed, nothing of Effect.
import { Client, type ClientOptions, ConfigurationError, envKeys, TokenExchangeError } from "@effect-identity/client"

const options: ClientOptions = { timeoutMs: 1000 }
const client = new Client(options)
const token: Promise<string> = client.getAccessToken({ signal: AbortSignal.timeout(1000) })
const lane: "COZE_SERVER_ENV" = envKeys.COZE_SERVER_ENV

token.then(
  () => lane,
  (error: unknown) => {
    if (error instanceof ConfigurationError) return error.issues.map((issue) => issue.name)
    if (error instanceof TokenExchangeError) return [error.step, error.reason, error.httpStatus, error.logId]
    throw error
  }
)
