/**
 * Three servers on one PostgreSQL, an upstream whose every new token ends the one before, and consumers who use what they are
 * given, while holders of the lease are killed and frozen.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Scope } from "effect"
import { setTimeout as wait } from "node:timers/promises"
import * as KillingIssuer from "./KillingIssuer.ts"
import * as Server from "./Server.ts"
import * as Storage from "./Storage.ts"

const life = 12_000
const overlap = 9000
const timeout = 1000
const duration = 120_000
/** What a server may let pass of a token's life before it looks for the next, at least. */
const shortestCycle = life * 0.65

const realm = (origin: string) => ({
  id: "wx",
  config: {
    url: `${origin}/cgi-bin/token`,
    method: "GET",
    arguments: [{ name: "secret", place: "url", value: "$key_1" }],
    token_path: "access_token",
    content_type: "json",
    expires_in_path: "expires_in",
    timeout_ms: timeout,
    overlap_ms: overlap,
    private_addresses: [new URL(origin).host]
  }
})

interface Tally {
  uses: number
  unanswered: number
  /** Used later than anyone may, because this process was held up. */
  late: number
  /** Dead tokens, and how long before their use which server handed them out, from where. */
  readonly dead: Array<
    KillingIssuer.Use & { readonly heldFor: number; readonly port: number; readonly source: unknown }
  >
  readonly refusals: Array<Server.Answer>
}

/** Asks one server after the other, and uses what it gets within half the overlap. */
const consume = async (
  issuer: KillingIssuer.KillingIssuer,
  servers: ReadonlyArray<Server.Server>,
  key: string,
  tally: Tally,
  until: number
) => {
  for (let nth = 0; performance.now() < until; nth++) {
    const server = servers[nth % servers.length]
    if (server === undefined) return
    const askedAt = performance.now()
    const answer = await Server.token(server.port, key, "wx", "app", 2000).catch(() => undefined)
    const answeredAt = performance.now()
    if (answer?.status === 200) {
      // Most use it at once, some keep it for as long as they may.
      await wait(nth % 50 === 0 ? Math.min(overlap / 2 - 500, Number(answer.body["expires_in"]) - 250) : 5)
      tally.uses++
      const use = issuer.use(String(answer.body["token"]))
      if (performance.now() - askedAt > overlap / 2) tally.late++
      else if (use.deadFor > 0) {
        const heldFor = performance.now() - answeredAt
        tally.dead.push({ ...use, heldFor, port: server.port, source: answer.body["source"] })
      }
    } else if (answer === undefined) {
      tally.unanswered++
      await wait(20)
    } else {
      tally.refusals.push(answer)
      await wait(20)
    }
  }
}

describe("three servers whose holders of the lease die", () => {
  it.live("never hand out a dead token, and ask once for each cycle and each that died", () =>
    Effect.gen(function*() {
      const issuer = yield* KillingIssuer.make({ life, overlap, pause: 300 })
      const { env } = yield* Storage.postgres()
      const { first, key, servers } = yield* Server.startThree(env)
      const saved = yield* Effect.promise(() => Server.ask(first.port, key, "POST", "/api/realm", realm(issuer.origin)))
      assert.strictEqual(saved.status, 200, JSON.stringify(saved.body))
      yield* Effect.promise(() =>
        Server.ask(first.port, key, "POST", "/api/secret", { realm: "wx", key: "app", key_1: "wx-secret-of-the-app" })
      )

      const began = performance.now()
      const until = began + duration
      const disturbed = { kills: 0, freezes: 0 }
      const started: Array<Promise<void>> = []
      let nextAt = began + 10_000
      const events: Array<string> = []
      const tell = (event: string, port: number) =>
        events.push(`${Math.round(performance.now() - began)} ${event} ${port} after ${issuer.issued.length}`)
      const strike = async (holder: Server.Server) => {
        const nth = servers.indexOf(holder)
        if ((disturbed.kills + disturbed.freezes) % 4 === 3) {
          disturbed.freezes++
          tell("frozen", holder.port)
          holder.kill("SIGSTOP")
          // Longer than the lease, and than the overlap.
          await wait(overlap + 5000)
          holder.kill("SIGCONT")
          tell("thawed", holder.port)
          return
        }
        disturbed.kills++
        tell("killed", holder.port)
        holder.kill("SIGKILL")
        await holder.ended
        servers[nth] = await Effect.runPromise(Effect.provideService(
          Server.start(holder.port, env),
          Scope.Scope,
          scope
        ))
        tell("back", holder.port)
      }
      issuer.watch = (port, moment) => {
        if (performance.now() < nextAt || moment !== (disturbed.kills % 2 === 0 ? "gone" : "come")) return
        const holder = Server.holderOf(port, servers)
        if (holder === undefined) return
        nextAt = performance.now() + 10_000
        started.push(strike(holder))
      }
      const scope = yield* Effect.scope

      const tally: Tally = { uses: 0, unanswered: 0, late: 0, dead: [], refusals: [] }
      yield* Effect.promise(() =>
        Promise.all(Array.from({ length: 12 }, () => consume(issuer, servers, key, tally, until)))
      )
      yield* Effect.promise(() => Promise.all(started))

      const cycles = Math.ceil((performance.now() - began) / shortestCycle)
      const { freezes, kills } = disturbed
      Server.report(
        `${tally.uses} uses, ${tally.dead.length} dead, ${tally.unanswered} unanswered, ${tally.refusals.length} refused, `
          + `${tally.late} late; `
          + `${issuer.issued.length} issued in ${cycles} cycles at most with ${kills} kills and ${freezes} freezes`
      )
      const history = [
        ...events,
        ...issuer.issued.map(({ at }, nth) => `${Math.round(at - began)} issued ${nth}`)
      ].toSorted((one, other) => Number.parseInt(one) - Number.parseInt(other))
      assert.deepStrictEqual(tally.dead, [], history.join("\n"))
      assert.isAbove(tally.uses, 1000)
      assert.isBelow(tally.late, tally.uses / 100)
      assert.isAtLeast(kills, 4)
      assert.isAtLeast(freezes, 1)
      assert.isAtMost(issuer.issued.length, cycles + kills + freezes + 1)
    }), 300_000)
})
