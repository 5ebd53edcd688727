/**
 * A program that gets a token and closes nothing. When it ends is up to the client.
 */
import { clients } from "../Clients.ts"
import { secretOf } from "../Scenario.ts"

const [name, issuer = ""] = process.argv.slice(2)

const client = clients.find((client) => client.name === name)
const subject = await client?.make({ issuer, api: issuer, id: "app", secret: () => secretOf("app") }, (load) => load())
await subject?.getToken()
process.stdout.write("token")
