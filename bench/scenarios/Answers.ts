// @effect-diagnostics globalDate:off
/**
 * Answers that are wrong, and what is shown of a secret.
 */
import { inspect } from "node:util"
import type { Mode } from "../Issuer.ts"
import { isToken, outcome, type Scenario, secretOf, settled, type Stage } from "../Scenario.ts"
import * as WallClock from "../WallClock.ts"

/** What an issuer may say of a life, as JSON text; undefined for nothing at all. */
const lives: ReadonlyArray<readonly [name: string, text: string | undefined]> = [
  ["absent", undefined],
  ["null", "null"],
  ["0", "0"],
  ["-1", "-1"],
  ["\"3600\"", "\"3600\""],
  ["3600.5", "3600.5"],
  ["\"soon\"", "\"soon\""],
  ["1e400", "1e400"],
  ["1e12", "1000000000000"],
  ["epoch", String(Math.floor(Date.now() / 1000) + 900)]
]

interface Life {
  readonly name: string
  readonly isToken: boolean
  readonly requests: number
  readonly getToken: () => Promise<unknown>
}

const keepsForEver = async (stage: Stage, found: ReadonlyArray<Life>): Promise<ReadonlyArray<string>> => {
  stage.issuer.expiresIn = "3600"
  const kept: Array<string> = []
  for (const { getToken, isToken, name } of found) {
    const before = stage.issuer.requests
    if (isToken) await settled(getToken)
    if (isToken && stage.issuer.requests === before) kept.push(name)
  }
  return kept
}

/** Some errors hold themselves. */
const asJson = (error: unknown): string => {
  try {
    return JSON.stringify(error) ?? ""
  } catch {
    return ""
  }
}

const wrong = (title: string, mode: Mode): Scenario => ({
  title,
  good: /^refused/,
  run: async (stage) => {
    stage.issuer.mode = mode
    return outcome(await settled((await stage.make()).getToken))
  }
})

export const answers: Readonly<Record<string, Scenario>> = {
  "11": {
    title: "`expires_in` in 10 forms: asks each time; keeps for more than 8 days; bare errors",
    good: /^none; none; none$/,
    run: async (stage) => {
      const found: Array<Life> = []
      const bare: Array<string> = []
      for (const [index, [name, text]] of lives.entries()) {
        stage.issuer.expiresIn = text
        const { getToken } = await stage.make({ id: `app-${index}` })
        const first = await settled(getToken)
        const before = stage.issuer.requests
        for (let nth = 0; nth < 5; nth++) await settled(getToken)
        if (outcome(first).startsWith("bare")) bare.push(name)
        found.push({ name, isToken: isToken(first.value), requests: stage.issuer.requests - before, getToken })
      }
      const askedEachTime = found.filter(({ requests }) => requests >= 5).map(({ name }) => name)
      WallClock.shift(8.5 * 24 * 3_600_000)
      return [askedEachTime, await keepsForEver(stage, found), bare]
        .map((names) => names.length === 0 ? "none" : names.length === lives.length ? "all" : names.join(" "))
        .join("; ")
    }
  },
  "12a": wrong("200 with `{errcode, errmsg}`", "errcode"),
  "12b": { ...wrong("200 with HTML", "html"), triesTransport: true },
  "12c": { ...wrong("an answer of 5 MiB", "large"), triesTransport: true },
  "12d": { ...wrong("100 KB of gzip that become 100 MiB", "bomb"), triesTransport: true },
  "12e": {
    title: "redirect to another host: the secret goes",
    good: /^nowhere$/,
    triesTransport: true,
    run: async (stage) => {
      stage.issuer.mode = "redirect"
      Object.assign(stage.issuer, { redirectTo: stage.api.url.replace("127.0.0.1", "localhost") })
      await settled((await stage.make()).getToken)
      return stage.api.seen.some((shown) => shown.includes(secretOf("app"))) ? "THERE" : "nowhere"
    }
  },
  "13": {
    title: "client secret in a thrown error, deeply inspected",
    good: /^no$/,
    run: async (stage) => {
      const { getToken } = await stage.make()
      const shown: Array<string> = []
      for (const mode of ["refuse", "503", "html"] as const) {
        stage.issuer.mode = mode
        const { error } = await settled(getToken)
        shown.push(inspect(error, { depth: 10, showHidden: true }), asJson(error))
      }
      const secret = secretOf("app")
      const spellings = [
        secret,
        Buffer.from(secret).toString("base64"),
        Buffer.from(`app:${secret}`).toString("base64")
      ]
      return spellings.some((spelling) => shown.join().includes(spelling)) ? "YES" : "no"
    }
  }
}
