/**
 * A workload that does what it is told, line by line, and answers each line with one of JSON.
 */
import { Client, WorkloadIdentityError } from "@effect-identity/client"
import { createInterface } from "node:readline"

const client = new Client({ timeoutMs: 5000, connectTimeoutMs: 500 })

process.on("unhandledRejection", () => console.log(JSON.stringify({ unhandled: true })))

const commands: Readonly<Record<string, () => Promise<unknown>>> = {
  token: () => client.getAccessToken(),
  force: () => client.getAccessToken({ forceRefresh: true }),
  variables: async () => (await client.getProjectEnvVars()).size,
  diagnose: () => client.diagnose()
}

for await (const line of createInterface({ input: process.stdin })) {
  const started = performance.now()
  const answer = await (commands[line] ?? (() => Promise.resolve("no such command")))().then(
    (value) => ({ value }),
    (error: unknown) =>
      error instanceof WorkloadIdentityError
        ? { error: `${error.reason}(${error.detail ?? error.httpStatus ?? ""})` }
        : { error: String(error) }
  )
  console.log(JSON.stringify({ ...answer, millis: Math.round(performance.now() - started) }))
}
