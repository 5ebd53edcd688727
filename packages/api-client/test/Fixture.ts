/**
 * A client of an API that is played by a function, and of one on a socket.
 */
import { ApiClient } from "@effect-identity/api-client"
import { CognitoApi } from "@effect-identity/testing"
import { NodeHttpClient } from "@effect/platform-node"
import { Context, Effect, Layer, Redacted } from "effect"
import { HttpClient, type HttpClientRequest, HttpClientResponse } from "effect/http"

/** The failure of a call, whatever it would have given. */
export const failing = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<E, void, R> =>
  Effect.flip(Effect.asVoid(effect))

export const tokenEndpoint = "https://issuer.example/oauth2/token"

export const options: ApiClient.Options = {
  baseUrl: "https://api.example/api/v1",
  tokenEndpoint,
  clientId: "app",
  clientSecret: Redacted.make("client-secret-51d2")
}

export interface Sent {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const bodyOf = ({ body }: HttpClientRequest.HttpClientRequest): string =>
  body._tag === "Uint8Array" ? new TextDecoder().decode(body.body) : body._tag

const build = <E>(layer: Layer.Layer<ApiClient.ApiClient, E>) =>
  Effect.map(Layer.build(layer), (context) => Context.get(context, ApiClient.ApiClient))

/** Tokens are numbered as they are asked for; the API answers as it is told. */
export const played = Effect.fnUntraced(function*(
  answer: (request: Sent, nth: number) => Response | Effect.Effect<Response>,
  given: Partial<ApiClient.Options> & { readonly token?: ((nth: number) => Response) | undefined } = {}
) {
  const { token, ...more } = given
  const calls: Array<Sent> = []
  const tokens: Array<Sent> = []
  const transport = HttpClient.make((request, url) => {
    const sent = { method: request.method, url: url.href, headers: { ...request.headers }, body: bodyOf(request) }
    if (request.url === tokenEndpoint) {
      const nth = tokens.push(sent)
      return Effect.sync(() =>
        HttpClientResponse.fromWeb(
          request,
          token?.(nth) ?? Response.json({ access_token: `token-${nth}`, token_type: "Bearer", expires_in: 3600 })
        )
      )
    }
    const found = answer(sent, calls.push(sent))
    return Effect.map(
      Effect.isEffect(found) ? found : Effect.succeed(found),
      (response) => HttpClientResponse.fromWeb(request, response)
    )
  })
  const layer = ApiClient.layer({ ...options, ...more }).pipe(
    Layer.provide(Layer.succeed(HttpClient.HttpClient, transport))
  )
  return { client: yield* build(layer), calls, tokens }
})

/** `node:http` with one connection, which an answer that nobody reads keeps from all who come later. */
export const oneConnection = NodeHttpClient.layerNodeHttpNoAgent.pipe(
  Layer.provide(NodeHttpClient.layerAgentOptions({ keepAlive: true, maxSockets: 1 }))
)

/** A client of the API on the socket, over `node:http`. */
export const onSocket = Effect.fnUntraced(function*(
  given: Partial<ApiClient.Options> = {},
  transport: Layer.Layer<HttpClient.HttpClient> = NodeHttpClient.layerNodeHttp
) {
  const api = yield* CognitoApi.CognitoApi
  const client = yield* build(
    ApiClient.layer({
      baseUrl: api.baseUrl,
      tokenEndpoint: api.tokenEndpoint,
      clientId: api.clientId,
      clientSecret: Redacted.make(api.clientSecret),
      ...given
    }).pipe(Layer.provide(transport))
  )
  const count = (step: string) =>
    Effect.map(api.requests, (requests) => requests.filter((request) => request.step === step).length)
  return { api, client, tokens: count("token"), calls: count("resource") }
})
