/**
 * The request that a realm describes, with the values of a secret in it.
 */
import * as BasicCredentials from "@effect-identity/oauth/BasicCredentials"
import * as JwtAssertion from "@effect-identity/oauth/JwtAssertion"
import type { Attempt } from "@effect-identity/oauth/TokenEndpoint"
import * as TokenExchange from "@effect-identity/oauth/TokenExchange"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Redacted from "effect/Redacted"
import type { Argument, ClientAuthentication, Request, Value } from "../../Realm.ts"
import { Unusable } from "../Failure.ts"
import { placeholder } from "../realm/RequestRules.ts"

export type Values = ReadonlyMap<string, Redacted.Redacted>

type Scalar = string | number | boolean

const unsendable = new Unusable({ detail: "secret" })

const reveal = (value: Value, values: Values): Effect.Effect<Scalar, Unusable> => {
  if ("literal" in value) return Effect.succeed(value.literal)
  const found = values.get(value.key)
  return found === undefined ? unsendable : Effect.succeed(Redacted.value(found))
}

const revealText = (value: Value, values: Values) => Effect.map(reveal(value, values), String)

const redacted = (value: Value, values: Values) => Effect.map(revealText(value, values), (text) => Redacted.make(text))

type Pairs = ReadonlyArray<readonly [name: string, value: Scalar]>

const pairsOf = (sent: ReadonlyArray<Argument>, place: Argument["place"], values: Values) =>
  Effect.forEach(
    sent.filter((each) => each.place === place),
    ({ name, value }) => Effect.map(reveal(value, values), (value) => [name, value] as const)
  )

/** One segment of a path stays one: nothing that the parser of URLs would take for a way up, or for nothing. */
const isSegment = (text: string): boolean => text !== "" && text !== "." && text !== ".."

/** What is in a header goes as it is, so a line break would be a header more. */
const isHeaderValue = (text: string): boolean => /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text)

const urlOf = (href: string, path: Pairs, query: Pairs): string | undefined => {
  const named = new Map(path.map(([name, value]) => [name, String(value)]))
  if (![...named.values()].every(isSegment)) return undefined
  const url = new URL(href)
  url.pathname = url.pathname.replace(
    placeholder,
    (_, name: string) => encodeURIComponent(named.get(name) ?? "").replaceAll(".", "%2E")
  )
  for (const [name, value] of query) url.searchParams.append(name, String(value))
  return url.href
}

const withBody =
  (contentType: Request["contentType"], pairs: Pairs) => (request: HttpClientRequest.HttpClientRequest) => {
    if (pairs.length === 0) return request
    if (contentType === "form") {
      return HttpClientRequest.bodyUrlParams(request, pairs.map(([name, value]) => [name, String(value)] as const))
    }
    const type = contentType === "json" ? "application/json" : "text/plain; charset=utf-8"
    return HttpClientRequest.bodyText(request, JSON.stringify(Object.fromEntries(pairs)), type)
  }

type Client = Extract<ClientAuthentication, { readonly method: "bearer_jwt" }>

const signed = Effect.fnUntraced(function*(client: Client, values: Values) {
  const keyId = client.keyId && (yield* revealText(client.keyId, values))
  const pem = yield* redacted(client.privateKey, values)
  const key = yield* Effect.mapError(JwtAssertion.importKey({ keyId, pem }), () => unsendable)
  return yield* JwtAssertion.sign(key, {
    issuer: yield* revealText(client.issuer, values),
    audience: client.audience && (yield* revealText(client.audience, values)),
    lifetime: client.lifetime,
    backdate: client.backdate
  })
})

const withClient = Effect.fnUntraced(function*(
  attempt: Attempt,
  client: ClientAuthentication | undefined,
  values: Values
): Effect.fn.Return<Attempt, Unusable> {
  if (client?.method === "bearer_jwt") {
    const assertion = yield* signed(client, values)
    return {
      request: HttpClientRequest.bearerToken(attempt.request, assertion),
      secrets: [...attempt.secrets, assertion]
    }
  }
  return client?.method === "client_secret_basic"
    ? BasicCredentials.apply(
      attempt,
      yield* revealText(client.clientId, values),
      yield* redacted(client.clientSecret, values)
    )
    : attempt
})

const inBody = (name: string, value: Value): Argument => ({ name, place: "body", value, isForForced: false })

const postedClient = (client: ClientAuthentication | undefined): ReadonlyArray<Argument> =>
  client?.method !== "client_secret_post" ? [] : [
    inBody("client_id", client.clientId),
    inBody("client_secret", client.clientSecret)
  ]

/** Makes the request. Fails when the secret lacks a value, or has one that cannot be sent where it should be. */
export const make = Effect.fnUntraced(function*(
  source: Pick<Request, "url" | "method" | "arguments" | "contentType" | "clientAuthentication">,
  values: Values,
  isForced: boolean
): Effect.fn.Return<Attempt, Unusable> {
  const { clientAuthentication: client, contentType, method } = source
  const sent = [
    ...source.arguments.filter(({ isForForced }) => isForced || !isForForced),
    ...postedClient(client)
  ]
  const body = yield* pairsOf(sent, "body", values)
  const query = [...(yield* pairsOf(sent, "url", values)), ...(method === "GET" ? body : [])]
  const url = urlOf(source.url.href, yield* pairsOf(sent, "path", values), query)
  const headers = (yield* pairsOf(sent, "header", values)).map(([name, value]) => [name, String(value)] as const)
  if (url === undefined || !headers.every(([, value]) => isHeaderValue(value))) return yield* unsendable
  const request = HttpClientRequest.make(method)(url).pipe(
    HttpClientRequest.setHeaders(headers),
    withBody(contentType, method === "GET" ? [] : body)
  )
  return yield* withClient({ request, secrets: [...values.values()] }, client, values)
})

/** The request of the second step, in which the first step's token is traded (RFC 8693). */
export const exchange = (
  { clientId, url }: NonNullable<Request["exchange"]>,
  values: Values,
  subject: Redacted.Redacted
): Effect.Effect<Attempt, Unusable> =>
  make(
    {
      url,
      method: "POST",
      contentType: "form",
      clientAuthentication: undefined,
      arguments: [
        inBody("client_id", clientId),
        inBody("subject_token", { key: "subject" }),
        inBody("subject_token_type", { literal: TokenExchange.tokenTypes.idToken }),
        inBody("grant_type", { literal: "urn:ietf:params:oauth:grant-type:token-exchange" })
      ]
    },
    new Map([...values, ["subject", subject]]),
    false
  )
