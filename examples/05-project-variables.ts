/**
 * Like the second one, but what it wants are the variables of its project, in `process.env` where programs expect them.
 * What is there already stays.
 */
import { Client } from "@effect-identity/client"

const variables = await new Client().getProjectEnvVars()
const { kept, loaded } = variables.loadIntoEnv({ override: false })

console.log(`loaded ${loaded.join(", ")}; kept ${kept.join(", ") || "nothing"}`)
console.log(`DATABASE_URL has ${process.env["DATABASE_URL"]?.length} characters`)
