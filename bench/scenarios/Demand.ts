/**
 * Many callers, many lives, many clients.
 */
import { createRequire } from "node:module"
import { setTimeout as wait } from "node:timers/promises"
import { reads, type Scenario, secretOf, settled, tokenRequests } from "../Scenario.ts"

const require = createRequire(import.meta.url)

const stampede = (ask: () => Promise<unknown>, count: number) =>
  Promise.all(Array.from({ length: count }, () => settled(ask)))

export const demand: Readonly<Record<string, Scenario>> = {
  "1": {
    title: "1,000 callers, nothing held: token requests",
    good: /^1$/,
    run: async (stage) => {
      await stampede((await stage.make()).getToken, 1000)
      return String(tokenRequests(stage))
    }
  },
  "2": {
    title: "1,000 callers, token ended: token requests",
    good: /^1$/,
    run: async (stage) => {
      stage.issuer.expiresIn = "2"
      const { getToken } = await stage.make()
      await getToken()
      await wait(2200)
      const before = tokenRequests(stage)
      await stampede(getToken, 1000)
      return String(tokenRequests(stage) - before)
    }
  },
  "3": {
    title: "10 reads of tokens of 3600, 600, 300, 60, 30, 10 s: token requests",
    good: /^1, 1, 1, 1, 1, 1$/,
    run: async (stage) => {
      const counts: Array<number> = []
      for (const lifetime of ["3600", "600", "300", "60", "30", "10"]) {
        stage.issuer.expiresIn = lifetime
        const before = tokenRequests(stage)
        await reads(await stage.make({ id: `app-${lifetime}`, secret: () => secretOf(lifetime) }), 10)
        counts.push(tokenRequests(stage) - before)
      }
      return counts.join(", ")
    }
  },
  "16": {
    title: "two identities in one process; requests of two clients of one",
    good: /^apart; 1$/,
    run: async (stage) => {
      const one = await (await stage.make({ id: "one", secret: () => secretOf("one") })).getToken()
      const two = await (await stage.make({ id: "two", secret: () => secretOf("two") })).getToken()
      const before = tokenRequests(stage)
      await (await stage.make({ id: "three" })).getToken()
      await (await stage.make({ id: "three" })).getToken()
      return `${one === two ? "MIXED" : "apart"}; ${tokenRequests(stage) - before}`
    }
  },
  "17": {
    title: "loaded by `import` and by `require` in one process: token requests",
    good: /^1$/,
    run: async ({ client, issuer, world }) => {
      const imported = await client.make(world, (load) => load())
      const required = await client.make(world, async (_, name) => require(name))
      await imported.getToken()
      await required.getToken()
      return String(issuer.requests / client.steps)
    }
  }
}
