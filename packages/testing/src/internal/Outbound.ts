/**
 * The outbound side of the platform: credentials of integrations and variables of the project, for whoever shows a
 * valid access token.
 */
import * as Effect from "effect/Effect"
import * as Answer from "../Answer.ts"
import type { RecordedRequest } from "../RecordedRequest.ts"

export interface Holdings {
  /** Credentials by integration name. */
  readonly credentials: Readonly<Record<string, string>>
  /** The variables of the project, in order; keys may repeat. */
  readonly variables: ReadonlyArray<{ readonly key: string; readonly value: string }>
}

const notAuthenticated = Answer.json({ code: 4100, msg: "authentication is invalid" }, { status: 401 })

const nameOf = (body: string): string | undefined => {
  try {
    const { integration_name: name } = JSON.parse(body)
    return typeof name === "string" ? name : undefined
  } catch {
    return undefined
  }
}

export const answer = Effect.fnUntraced(function*(
  request: RecordedRequest,
  holdings: Holdings,
  isValid: (accessToken: string) => Effect.Effect<boolean>
) {
  const bearer = /^Bearer (.+)$/.exec(request.headers["authorization"] ?? "")?.[1]
  if (bearer === undefined || !(yield* isValid(bearer))) return yield* notAuthenticated
  if (request.step === "projectEnvVars") {
    return yield* Answer.json({ code: 0, msg: "success", data: { secrets: holdings.variables } })
  }
  const name = nameOf(request.body)
  if (name === undefined || !Object.hasOwn(holdings.credentials, name)) {
    return yield* Answer.json({ code: 1001, msg: "integration not found" })
  }
  return yield* Answer.json({ code: 0, msg: "success", data: { credential: holdings.credentials[name] } })
})
