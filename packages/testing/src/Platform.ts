/**
 * A Coze platform on loopback sockets, for tests, demos and examples.
 *
 * It behaves like the real one: it checks client and secret, gives an id token, trades that for an access token, and
 * gives credentials and project variables to whoever shows one. It keeps a log of what arrived and can be told, per
 * step, to answer anything else. It does not imitate a broken network; every answer is proper HTTP.
 *
 * @since 0.1.0
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
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
import * as Issuer from "./internal/Issuer.ts"
import * as Outbound from "./internal/Outbound.ts"
import * as RequestLog from "./internal/RequestLog.ts"
import * as Script from "./internal/Script.ts"
import type { RecordedRequest, Step } from "./RecordedRequest.ts"

/**
 * A running platform.
 *
 * @stability unstable
 * @category services
 * @since 0.1.0
 */
export class Platform extends Context.Service<Platform, {
  readonly idTokenEndpoint: string
  readonly accessTokenEndpoint: string
  readonly outboundEndpoint: string
  /** The environment of a workload that lives on this platform. */
  readonly env: Readonly<Record<string, string>>
  /** Everything that has arrived so far, oldest first. */
  readonly requests: Effect.Effect<ReadonlyArray<RecordedRequest>>
  /** Empties the log of requests that are over, for programs that run for long. */
  readonly forget: Effect.Effect<void>
  /** Waits until the log satisfies a condition, and returns it. */
  readonly requestsUntil: (
    condition: (requests: ReadonlyArray<RecordedRequest>) => boolean
  ) => Effect.Effect<ReadonlyArray<RecordedRequest>>
  /** Changes how the platform behaves from now on. */
  readonly behave: (behaviour: Partial<Behaviour>) => Effect.Effect<void>
  /**
   * The next requests of this step are answered like this, one each, in this order. An answer that nobody came for
   * is a defect when the platform stops.
   */
  readonly script: (step: Step, ...answers: ReadonlyArray<Answer.Answer>) => Effect.Effect<void>
  /** From now on, no access token that was given so far is accepted by the outbound calls. */
  readonly revokeTokens: Effect.Effect<void>
}>()("@effect-identity/testing/Platform") {}

/**
 * How it answers, and what workloads own there. It can be changed while it runs.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Behaviour extends Outbound.Holdings {
  /** Life of access tokens. @default 1 hour */
  readonly lifetime: Duration.Input
  /** Time before each answer. @default zero */
  readonly delay: Duration.Input
}

/**
 * Who may ask, where, and how it answers at first.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Options extends Partial<Behaviour> {
  /** Whether both steps are asked at one address, as in production, or at two. @default "one" */
  readonly endpoints?: "one" | "two" | undefined
  /** Who may ask. The first one is who {@link Platform.env} speaks of. */
  readonly clients?: readonly [Issuer.Client, ...ReadonlyArray<Issuer.Client>] | undefined
}

const defaultClient: Issuer.Client = { clientId: "loopback-client", clientSecret: "loopback-client-secret" }

const steps: { readonly [grantType: string]: Step } = {
  "client_credentials": "idToken",
  "urn:ietf:params:oauth:grant-type:token-exchange": "accessToken"
}

const paths = {
  one: { idToken: "/.well-known/token", accessToken: "/.well-known/token" },
  two: { idToken: "/id-token", accessToken: "/access-token" }
} as const

const outboundPath = "/api/v1/secret"

const isOwn = (step: RecordedRequest["step"]): step is Step =>
  step === "integrationCredential" || step === "projectEnvVars" || Object.values(steps).some((own) => own === step)

const stepOf = (path: string, form: RecordedRequest["form"]): Step | "other" => {
  if (path === `${outboundPath}/integration`) return "integrationCredential"
  if (path === `${outboundPath}/env`) return "projectEnvVars"
  return steps[form.find(([name]) => name === "grant_type")?.[1] ?? ""] ?? "other"
}

/**
 * Starts a platform on a free port of the loopback interface.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(options: Options = {}) {
  const server = yield* HttpServer.HttpServer
  const path = paths[options.endpoints ?? "one"]
  const clients = options.clients ?? [defaultClient]
  const issuer = yield* Issuer.make(clients)
  const log = yield* RequestLog.make
  const behaviour = yield* Ref.make<Behaviour>({
    lifetime: options.lifetime ?? "1 hour",
    delay: options.delay ?? Duration.zero,
    credentials: options.credentials ?? {},
    variables: options.variables ?? []
  })
  const script = yield* Script.make

  const answer = Effect.fnUntraced(function*(request: RecordedRequest) {
    if (!isOwn(request.step)) return yield* Answer.refusal("unsupported_grant_type")
    const scripted = yield* script.next(request.step)
    const { delay, lifetime, ...holdings } = yield* Ref.get(behaviour)
    yield* Effect.sleep(delay)
    if (scripted !== undefined) return yield* scripted
    if (request.method !== (request.step === "projectEnvVars" ? "GET" : "POST")) {
      return HttpServerResponse.empty({ status: 405 })
    }
    if (request.step === "integrationCredential" || request.step === "projectEnvVars") {
      return yield* Outbound.answer(request, holdings, issuer.isValid)
    }
    if (request.path !== path[request.step]) return HttpServerResponse.empty({ status: 404 })
    const life = Duration.fromInputUnsafe(lifetime)
    return yield* request.step === "idToken" ? issuer.issueIdToken(request, life) : issuer.exchange(request, life)
  })

  const handle = Effect.gen(function*() {
    const request = yield* HttpServerRequest.HttpServerRequest
    const recorded = yield* log.record(request, stepOf)
    // The server runs handlers uninterruptibly; this is what lets an answer end when its client goes away.
    const response = yield* Effect.interruptible(answer(recorded))
    return HttpServerResponse.setHeaders(response, {
      "cache-control": "no-store",
      "x-tt-logid": `loopback-log-${recorded.id}`
    })
  })

  yield* Effect.addFinalizer(() => script.dieOfLeftovers)
  yield* server.serve(handle)

  const origin = HttpServer.formatAddress(server.address)
  const idTokenEndpoint = origin + path.idToken
  const accessTokenEndpoint = origin + path.accessToken
  const outboundEndpoint = origin + outboundPath

  return Platform.of({
    idTokenEndpoint,
    accessTokenEndpoint,
    outboundEndpoint,
    env: {
      COZE_WORKLOAD_IDENTITY_CLIENT_ID: clients[0].clientId,
      COZE_WORKLOAD_IDENTITY_CLIENT_SECRET: clients[0].clientSecret,
      COZE_WORKLOAD_IDENTITY_TOKEN_ENDPOINT: idTokenEndpoint,
      COZE_WORKLOAD_ACCESS_TOKEN_ENDPOINT: accessTokenEndpoint,
      COZE_OUTBOUND_AUTH_ENDPOINT: outboundEndpoint
    },
    requests: log.requests,
    forget: Effect.andThen(log.forget, issuer.forget),
    requestsUntil: log.requestsUntil,
    behave: (change) => Ref.update(behaviour, (current) => ({ ...current, ...change })),
    script: (step, ...answers) => script.order(step, answers),
    revokeTokens: issuer.revokeAll
  })
})

/**
 * A platform that lives as long as the layer.
 *
 * @example
 * ```ts
 * import { Platform } from "@effect-identity/testing"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const platform = yield* Platform.Platform
 *   const requests = yield* platform.requests
 *   return requests.length
 * })
 *
 * Effect.runPromise(Effect.provide(program, Platform.layer())) // => 0
 * ```
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: Options): Layer.Layer<Platform> =>
  Layer.effect(Platform, make(options)).pipe(
    Layer.provide(NodeHttpServer.layerServer(createServer, {
      port: 0,
      host: "127.0.0.1",
      disablePreemptiveShutdown: true
    })),
    Layer.orDie
  )
