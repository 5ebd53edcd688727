/**
 * Gets a token, gets it again after so many milliseconds, closes nothing and says when it has nothing left to do.
 */
import { Client } from "@effect-identity/client"
import { setTimeout } from "node:timers/promises"

const client = new Client()
await client.getAccessToken()
await setTimeout(Number(process.argv[2] ?? 0))
await client.getAccessToken()
process.stdout.write("done\n")
