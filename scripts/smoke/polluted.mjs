// A program whose Object.prototype was polluted before the facade was loaded: everything works as ever.
import assert from "node:assert/strict"

const names = ["error", "code", "errcode", "access_token", "expires_in", "token_type", "data", "credential", "secrets"]
for (const name of names) Object.prototype[name] = "polluted"

const { Client } = await import("@effect-identity/client")
const client = new Client()
assert.match(await client.getAccessToken(), /^access-token-/)
const variables = await client.getProjectEnvVars()
assert.equal(variables.get("REGION"), "cn-beijing")
assert.equal(variables.has("error"), false)
assert.equal(await client.getIntegrationCredential("mail"), "mail-credential")
