// A plain program that a bundler has put into one file together with the facade. It runs where nothing is installed.
import { Client, ConfigurationError, TokenRetrievalError } from "@effect-identity/client"
import assert from "node:assert/strict"

const main = async () => {
  const tokens = await Promise.all(Array.from({ length: 100 }, () => new Client().getAccessToken()))
  assert.match(tokens[0], /^access-token-/)
  assert.equal(new Set(tokens).size, 1)

  process.env.COZE_WORKLOAD_IDENTITY_CLIENT_SECRET = "wrong"
  await assert.rejects(new Client().getAccessToken(), TokenRetrievalError)

  delete process.env.COZE_WORKLOAD_IDENTITY_CLIENT_SECRET
  assert.throws(() => new Client(), ConfigurationError)
}

main()
