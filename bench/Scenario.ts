/**
 * Something that happens to a client, and what is counted of it.
 */
import { inspect } from "node:util"
import type { Api } from "./Api.ts"
import type { Client, Subject, World } from "./Client.ts"
import type { Issuer } from "./Issuer.ts"

export interface Stage {
  readonly client: Client
  readonly issuer: Issuer
  readonly api: Api
  readonly world: World
  /** Makes a client, of this identity or of another. */
  readonly make: (changes?: Partial<World>) => Promise<Subject>
}

export interface Scenario {
  readonly title: string
  /** What a cell has to look like to be a good one. */
  readonly good: RegExp
  /** Whether it tries the transport rather than what is done with tokens. */
  readonly triesTransport?: true
  /** What stands in the cell. */
  readonly run: (stage: Stage) => Promise<string>
}

export const secretOf = (id: string) => `bench-secret-81f3-of-${id}`

export const isToken = (value: unknown): boolean => typeof value === "string" && /^token-\d+-/.test(value)

export const settled = async (ask: () => Promise<unknown>) => {
  try {
    return { value: await ask(), error: undefined }
  } catch (error) {
    return { value: undefined, error: error ?? new Error("nothing was thrown") }
  }
}

/** Reads one after the other; how many got a token. */
export const reads = async ({ getToken }: Subject, count: number): Promise<number> => {
  let tokens = 0
  for (let nth = 0; nth < count; nth++) if (isToken((await settled(getToken)).value)) tokens++
  return tokens
}

/** Requests for a token, as many as one flight takes being one. */
export const tokenRequests = ({ client, issuer }: Stage): number => issuer.requests / client.steps

/** How a wrong answer comes out: a bare error of the language says nothing to whoever must handle it. */
export const outcome = ({ error, value }: { readonly error: unknown; readonly value: unknown }): string => {
  if (error === undefined) return isToken(value) ? "takes it" : `gives ${inspect(value)} as the token`
  const name = error instanceof Error ? error.constructor.name : typeof error
  return name === "TypeError" || name === "SyntaxError" ? `bare ${name}` : `refused, ${name}`
}

export const seconds = (millis: number): string => `${(millis / 1000).toFixed(1)} s`
