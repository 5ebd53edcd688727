/**
 * One client in one scenario, in a process of its own: some end theirs, some never come back.
 */
import { inspect } from "node:util"
import * as Api from "../Api.ts"
import { notMeasured } from "../Cell.ts"
import { clients } from "../Clients.ts"
import * as Issuer from "../Issuer.ts"
import { secretOf, type Stage } from "../Scenario.ts"
import { scenarios } from "../Scenarios.ts"

const [name, id] = process.argv.slice(2)

const client = clients.find((client) => client.name === name)
const scenario = scenarios.find(([each]) => each === id)?.[1]
if (client === undefined || scenario === undefined) throw new Error(`no such cell: ${name} ${id}`)

let unhandled = 0
process.on("unhandledRejection", () => unhandled++)

const issuer = await Issuer.start()
const api = await Api.start(issuer)
const world = { issuer: issuer.url, api: api.url, id: "app", secret: () => secretOf("app") }
const stage: Stage = {
  client,
  issuer,
  api,
  world,
  make: (changes) => client.make({ ...world, ...changes }, (load) => load())
}
// What the bench itself gets wrong is nobody's failure, and stops the whole of it.
const text = await scenario.run(stage).catch((error: unknown) => {
  process.stderr.write(`${name} ${id}: ${inspect(error)}\n`)
  return process.exit(notMeasured)
})
process.stdout.write(`\n${JSON.stringify({ text, unhandled })}`)
process.exit(0)
