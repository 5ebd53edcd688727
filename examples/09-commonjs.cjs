/**
 * The second one, in a program that knows `require` only.
 */
const { Client, WorkloadIdentityError } = require("@effect-identity/client")

new Client().getAccessToken().then(
  (token) => console.log(`token of ${token.length} characters`),
  (error) => {
    console.error(error instanceof WorkloadIdentityError ? [error.step, error.reason] : error)
    process.exitCode = 1
  }
)
