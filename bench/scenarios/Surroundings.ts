/**
 * Clocks that jump, and a proxy in between.
 */
import { ConnectProxy } from "@effect-identity/testing"
import * as CertificateAuthority from "@effect-identity/testing/CertificateAuthority"
import { Effect, Scope } from "effect"
import { setTimeout as wait } from "node:timers/promises"
import { inspect } from "node:util"
import * as Issuer from "../Issuer.ts"
import { reads, type Scenario, settled, tokenRequests } from "../Scenario.ts"
import * as WallClock from "../WallClock.ts"

const hour = 3_600_000

const inScope = <A>(effect: Effect.Effect<A, never, Scope.Scope>) =>
  Effect.runPromise(Scope.provide(effect, Scope.makeUnsafe()))

export const surroundings: Readonly<Record<string, Scenario>> = {
  "18a": {
    title: "wall clock 2 h ahead, token of 1 h, 10 reads: token requests",
    good: /^1$/,
    run: async (stage) => {
      const subject = await stage.make()
      await subject.getToken()
      const before = tokenRequests(stage)
      WallClock.shift(2 * hour)
      await reads(subject, 10)
      return String(tokenRequests(stage) - before)
    }
  },
  "18b": {
    title: "wall clock set back by an hour: a token of 2 s, 2.5 s later",
    good: /^replaced$/,
    run: async (stage) => {
      stage.issuer.expiresIn = "2"
      const { getToken } = await stage.make()
      const first = await getToken()
      WallClock.shift(-hour)
      await wait(2500)
      return (await settled(getToken)).value === first ? "HANDED OUT" : "replaced"
    }
  },
  "20": {
    title: "proxy with a password, a private authority behind it: passes; a 407 is told",
    good: /^passes; told$/,
    run: async ({ client, world }) => {
      if (client.throughProxy === undefined) return "knows no proxy"
      const authority = await Effect.runPromise(CertificateAuthority.make)
      const identity = await Effect.runPromise(authority.issue(["127.0.0.1"]))
      const target = await Issuer.start(identity)
      const proxy = await inScope(ConnectProxy.make({ credentials: { user: "space", password: "ticket" } }))
      const ask = (password: string) =>
        settled(async () =>
          client.throughProxy?.({
            ...world,
            proxy: { url: proxy.url.replace("//", `//space:${password}@`), ca: authority.cert }
          }, target.url)
        )
      await ask("ticket")
      const passes = target.requests > 0 ? "passes" : proxy.tunnels.length > 0 ? "no private authority" : "no tunnel"
      const { error } = await ask("wrong")
      const isTold = /\b407\b|authentication/i.test(inspect(error, { depth: 6 }))
      return `${passes}; ${isTold ? "told" : "hidden"}`
    }
  }
}
