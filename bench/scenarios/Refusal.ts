/**
 * Tokens and secrets that are not taken.
 */
import { setTimeout as wait } from "node:timers/promises"
import { isToken, reads, type Scenario, secretOf, settled, tokenRequests } from "../Scenario.ts"

export const refusal: Readonly<Record<string, Scenario>> = {
  "7": {
    title: "100 requests within 50 ms refused with 401 for one dead token: new tokens",
    good: /^1$/,
    run: async (stage) => {
      const { call } = await stage.make()
      if (call === undefined) return "signs no requests"
      await call()
      stage.issuer.live.clear()
      const before = tokenRequests(stage)
      await Promise.all(Array.from({ length: 100 }, async (_, nth) => {
        await wait(nth / 2)
        return settled(call)
      }))
      return String(tokenRequests(stage) - before)
    }
  },
  "8": {
    title: "50 requests in a row, each refused for ever: token requests",
    good: /^[12]$/,
    run: async (stage) => {
      stage.api.refusesAll = true
      const { call } = await stage.make()
      if (call === undefined) return "signs no requests"
      for (let nth = 0; nth < 50; nth++) await settled(call)
      return String(tokenRequests(stage))
    }
  },
  "15a": {
    title: "`invalid_client`, 20 reads: token requests",
    good: /^1$/,
    run: async (stage) => {
      stage.issuer.mode = "refuse"
      await reads(await stage.make(), 20)
      return String(stage.issuer.requests)
    }
  },
  "15b": {
    title: "secret replaced where it is kept, the old one refused",
    good: /^new token$/,
    run: async (stage) => {
      stage.issuer.expiresIn = "2"
      const { getToken, rotate } = await stage.make()
      await getToken()
      if (rotate === undefined) return "needs a new client"
      stage.issuer.secret = secretOf("rotated")
      rotate(stage.issuer.secret)
      await wait(2200)
      return isToken((await settled(getToken)).value) ? "new token" : "refused"
    }
  }
}
