/**
 * An API behind client credentials on a loopback socket, for tests, demos and examples: a token endpoint as Amazon Cognito's
 * answers, and resources as A55 has them.
 *
 * It checks client and secret, in the body or in a Basic header, and who shows which token; it limits the requests of a
 * client per minute and says so in headers. It keeps a log of what arrived and can be told to answer anything else.
 *
 * @since 0.1.0
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import { createServer } from "node:http"
import * as Answer from "./Answer.ts"
import * as RequestLog from "./internal/RequestLog.ts"
import * as Script from "./internal/Script.ts"
import type { RecordedRequest } from "./RecordedRequest.ts"

/**
 * How it answers. It can be changed while it runs.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Behaviour {
  /** Life of tokens. @default 1 hour */
  readonly lifetime: Duration.Input
  /** Time before each answer. @default zero */
  readonly delay: Duration.Input
  /** Requests to resources that a client has in a minute. @default 100 */
  readonly limit: number
}

/**
 * Its only client, what that may ask for, and how it answers at first.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Options extends Partial<Behaviour> {
  /** @default "loopback-client" */
  readonly clientId?: string | undefined
  /** @default "loopback-client-secret" */
  readonly clientSecret?: string | undefined
  /** What tokens can be asked for. @default ["wallets/read", "wallets/write"] */
  readonly scopes?: ReadonlyArray<string> | undefined
}

/**
 * An API on loopback behind client credentials, as Amazon Cognito gives them.
 *
 * @stability unstable
 * @category services
 * @since 0.1.0
 */
export class CognitoApi extends Context.Service<CognitoApi, {
  readonly tokenEndpoint: string
  /** Below it: `GET /wallets`, and `POST /wallets`, which answers with what it was sent. */
  readonly baseUrl: string
  readonly clientId: string
  readonly clientSecret: string
  /** Everything that has arrived so far, oldest first. Steps are `token` and `resource`. */
  readonly requests: Effect.Effect<ReadonlyArray<RecordedRequest>>
  /** Waits until the log satisfies a condition, and returns it. */
  readonly requestsUntil: (
    condition: (requests: ReadonlyArray<RecordedRequest>) => boolean
  ) => Effect.Effect<ReadonlyArray<RecordedRequest>>
  /** Changes how it behaves from now on. */
  readonly behave: (behaviour: Partial<Behaviour>) => Effect.Effect<void>
  /**
   * The next requests of this step are answered like this, one each, in this order. An answer that nobody came for is a
   * defect when the API stops.
   */
  readonly script: (step: "token" | "resource", ...answers: ReadonlyArray<Answer.Answer>) => Effect.Effect<void>
  /** From now on, no token that was given so far is accepted. */
  readonly revokeTokens: Effect.Effect<void>
}>()("@effect-identity/testing/CognitoApi") {}

const paths = { token: "/oauth2/token", base: "/api/v1" }

const wallets = [{ id: "w-1", currency: "BRL", balance: "1050.00" }]

const decoded = (part: string | undefined) => new URLSearchParams(`part=${part ?? ""}`).get("part") ?? ""

/** Who asks, by a header or else by the body (RFC 6749 §2.3.1). */
const credentialsOf = (request: RecordedRequest): readonly [id: string, secret: string] => {
  const basic = /^Basic (.+)$/.exec(request.headers["authorization"] ?? "")?.[1]
  if (basic === undefined) return [request.field("client_id") ?? "", request.field("client_secret") ?? ""]
  const [id, secret] = Buffer.from(basic, "base64").toString().split(":")
  return [decoded(id), decoded(secret)]
}

const parse = (body: string): unknown => {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

/** How A55 says no. */
const refuse = (request: RecordedRequest, status: number, code: string, message: string) =>
  Answer.json({ error: { code, message, details: [] }, request_id: `loopback-request-${request.id}` }, { status })

const answerResource = (request: RecordedRequest) => {
  const path = request.path.split("?", 1)[0]
  if (path !== `${paths.base}/wallets`) return refuse(request, 404, "not_found", "there is nothing here")
  if (request.method === "GET") return Answer.json({ wallets })
  if (request.method !== "POST") return refuse(request, 405, "method_not_allowed", "wallets are listed and made only")
  const body = parse(request.body)
  return typeof body === "object" && body !== null
    ? Answer.json({ id: `w-${request.id}`, ...body }, { status: 201 })
    : refuse(request, 400, "invalid_request", "body is not a JSON object")
}

/** How many requests are left in the minute that runs, this one counted. */
const makeLimiter = () => {
  let minute = 0
  let used = 0
  return (limit: number, now: number) => {
    if (Math.floor(now / 60_000) !== minute) used = 0
    minute = Math.floor(now / 60_000)
    used++
    const resetAt = (minute + 1) * 60
    return {
      isExceeded: used > limit,
      headers: {
        "x-ratelimit-limit": String(limit),
        "x-ratelimit-remaining": String(Math.max(0, limit - used)),
        "x-ratelimit-reset": String(resetAt)
      },
      retryAfter: String(Math.ceil(resetAt - now / 1000))
    }
  }
}

/**
 * Starts an API on a free port of the loopback interface.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(options: Options = {}) {
  const server = yield* HttpServer.HttpServer
  const { clientId = "loopback-client", clientSecret = "loopback-client-secret" } = options
  const scopes = options.scopes ?? ["wallets/read", "wallets/write"]
  const log = yield* RequestLog.make
  const script = yield* Script.make
  const behaviour = yield* Ref.make<Behaviour>({
    lifetime: options.lifetime ?? "1 hour",
    delay: options.delay ?? Duration.zero,
    limit: options.limit ?? 100
  })
  const issued = new Set<string>()
  const limited = makeLimiter()
  let count = 0

  const issue = (request: RecordedRequest, lifetime: Duration.Input) => {
    const [id, secret] = credentialsOf(request)
    if (request.field("grant_type") !== "client_credentials") return Answer.refusal("unsupported_grant_type")
    // Cognito says so under 400, not 401.
    if (id !== clientId || secret !== clientSecret) return Answer.refusal("invalid_client")
    const asked = request.field("scope")?.split(" ") ?? scopes
    if (asked.some((scope) => !scopes.includes(scope))) return Answer.refusal("invalid_scope")
    const token = `loopback-token-${++count}-${crypto.randomUUID()}`
    issued.add(token)
    return Answer.json({ access_token: token, expires_in: Duration.toSeconds(lifetime), token_type: "Bearer" })
  }

  const serveResource = Effect.fnUntraced(function*(request: RecordedRequest, limit: number) {
    const bearer = /^Bearer (.+)$/.exec(request.headers["authorization"] ?? "")?.[1]
    if (bearer === undefined || !issued.has(bearer)) {
      return yield* refuse(request, 401, "unauthorized", "token is not valid")
    }
    const { headers, isExceeded, retryAfter } = limited(limit, yield* Clock.currentTimeMillis)
    const response = isExceeded
      ? HttpServerResponse.setHeader(
        yield* refuse(request, 429, "rate_limit_exceeded", "too many requests"),
        "retry-after",
        retryAfter
      )
      : yield* answerResource(request)
    return HttpServerResponse.setHeaders(response, headers)
  })

  const answer = Effect.fnUntraced(function*(request: RecordedRequest) {
    const scripted = yield* script.next(request.step)
    const { delay, lifetime, limit } = yield* Ref.get(behaviour)
    yield* Effect.sleep(delay)
    if (scripted !== undefined) return yield* scripted
    if (request.step === "resource") return yield* serveResource(request, limit)
    if (request.method !== "POST") return HttpServerResponse.empty({ status: 405 })
    return yield* issue(request, lifetime)
  })

  const handle = Effect.gen(function*() {
    const recorded = yield* log.record(
      yield* HttpServerRequest.HttpServerRequest,
      (path) => path === paths.token ? "token" : "resource"
    )
    // The server runs handlers uninterruptibly; this is what lets an answer end when its client goes away.
    const response = yield* Effect.interruptible(answer(recorded))
    return HttpServerResponse.setHeader(response, "x-request-id", `loopback-request-${recorded.id}`)
  })

  yield* Effect.addFinalizer(() => script.dieOfLeftovers)
  yield* server.serve(handle)
  const origin = HttpServer.formatAddress(server.address)

  return CognitoApi.of({
    tokenEndpoint: origin + paths.token,
    baseUrl: origin + paths.base,
    clientId,
    clientSecret,
    requests: log.requests,
    requestsUntil: log.requestsUntil,
    behave: (change) => Ref.update(behaviour, (current) => ({ ...current, ...change })),
    script: (step, ...answers) => script.order(step, answers),
    revokeTokens: Effect.sync(() => issued.clear())
  })
})

/**
 * An API that lives as long as the layer.
 *
 * @example
 * ```ts
 * import { CognitoApi } from "@effect-identity/testing"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const api = yield* CognitoApi.CognitoApi
 *   return (yield* Effect.promise(() => fetch(`${api.baseUrl}/wallets`))).status
 * })
 *
 * Effect.runPromise(Effect.provide(program, CognitoApi.layer())) // => 401
 * ```
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: Options): Layer.Layer<CognitoApi> =>
  Layer.effect(CognitoApi, make(options)).pipe(
    Layer.provide(NodeHttpServer.layerServer(createServer, {
      port: 0,
      host: "127.0.0.1",
      disablePreemptiveShutdown: true
    })),
    Layer.orDie
  )
