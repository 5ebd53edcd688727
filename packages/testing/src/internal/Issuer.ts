/**
 * The authorization server behind the platform: it knows its clients and the id tokens it gave them, and believes
 * nothing else.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import * as Answer from "../Answer.ts"
import type { RecordedRequest } from "../RecordedRequest.ts"

export interface Client {
  readonly clientId: string
  readonly clientSecret: string
}

export const make = Effect.fnUntraced(function*(clients: ReadonlyArray<Client>) {
  const issued = yield* Ref.make<ReadonlyMap<string, string>>(new Map())
  let count = 0
  const revoked = yield* Ref.make<ReadonlySet<string>>(new Set())

  const nextToken = (kind: string, owner: string) =>
    Ref.modify(issued, (tokens) => {
      const token = `${kind}-${++count}-${crypto.randomUUID()}`
      return [token, new Map(tokens).set(token, owner)]
    })

  const issueIdToken = Effect.fnUntraced(function*(request: RecordedRequest, lifetime: Duration.Duration) {
    const clientId = request.field("client_id") ?? ""
    const clientSecret = request.field("client_secret")
    if (!clients.some((client) => client.clientId === clientId && client.clientSecret === clientSecret)) {
      return yield* Answer.refusal("invalid_client", { status: 401, description: "client authentication failed" })
    }
    return yield* Answer.json({
      access_token: yield* nextToken("id-token", clientId),
      token_type: "Bearer",
      expires_in: Duration.toSeconds(lifetime)
    })
  })

  const exchange = Effect.fnUntraced(function*(request: RecordedRequest, lifetime: Duration.Duration) {
    const clientId = request.field("client_id") ?? ""
    const owner = (yield* Ref.get(issued)).get(request.field("subject_token") ?? "")
    const type = request.field("subject_token_type")
    if (owner !== clientId || type !== "urn:ietf:params:oauth:token-type:id_token") {
      return yield* Answer.refusal("invalid_grant", { description: "subject token is not valid" })
    }
    return yield* Answer.token({
      access_token: yield* nextToken("access-token", clientId),
      expires_in: Duration.toSeconds(lifetime)
    })
  })

  const isValid = (accessToken: string) =>
    Effect.map(
      Effect.all([Ref.get(issued), Ref.get(revoked)]),
      ([tokens, dead]) => accessToken.startsWith("access-token-") && tokens.has(accessToken) && !dead.has(accessToken)
    )

  const revokeAll = Effect.flatMap(Ref.get(issued), (tokens) => Ref.set(revoked, new Set(tokens.keys())))

  /** Tokens that were given so far are not known any more. */
  const forget = Effect.andThen(Ref.set(issued, new Map<string, string>()), Ref.set(revoked, new Set<string>()))

  return { issueIdToken, exchange, isValid, revokeAll, forget }
})
