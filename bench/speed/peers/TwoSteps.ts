// @effect-diagnostics globalDate:off
/**
 * What someone writes who knows the two requests, and wants no library: one flight, one token, one look at the clock.
 */
import type { Subject, World } from "../../Client.ts"

/** Sends a form and answers with the JSON it gets. */
export type Post = (url: string, form: string) => Promise<unknown>

interface Answer {
  readonly access_token: string
  readonly expires_in: number
}

const isAnswer = (value: unknown): value is Answer =>
  typeof value === "object" && value !== null && "access_token" in value && typeof value.access_token === "string"
  && "expires_in" in value && typeof value.expires_in === "number"

const tokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange"

export const make = ({ id, issuer, secret }: World, post: Post): Subject => {
  let token = ""
  let goodUntil = 0
  let flight: Promise<string> | undefined

  const ask = async (form: Record<string, string>): Promise<Answer> => {
    const answer = await post(`${issuer}/token`, new URLSearchParams(form).toString())
    if (!isAnswer(answer)) throw new Error("no token")
    return answer
  }

  const fetchToken = async (): Promise<string> => {
    try {
      const first = await ask({ grant_type: "client_credentials", client_id: id, client_secret: secret() })
      const second = await ask({ grant_type: tokenExchange, subject_token: first.access_token })
      token = second.access_token
      goodUntil = Date.now() + second.expires_in * 1000 - 60_000
      return token
    } finally {
      flight = undefined
    }
  }

  return { getToken: async () => Date.now() < goodUntil ? token : await (flight ??= fetchToken()) }
}
