// The same for a program that has never heard of modules.
const { Client, envKeys } = require("@effect-identity/client")
const assert = require("node:assert/strict")

assert.equal(envKeys.DEFAULT_COZE_SERVER_ENV, "NONE")
new Client().getAccessToken().then((token) => assert.match(token, /^access-token-/))
