/**
 * The OAuth endpoint for apps of Coze that sign JWTs, on a loopback socket.
 *
 * It has the three addresses of the real one, for the app's own account, another account and an enterprise. It verifies
 * signature, times and audience of an assertion, takes each but once, and gives tokens whose `expires_in` is the Unix time
 * of their end. Like a `Platform` it keeps a log of what arrived and can be told to answer anything else.
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
import { generateKeyPairSync } from "node:crypto"
import { createServer } from "node:http"
import * as Answer from "./Answer.ts"
import * as Assertions from "./internal/Assertions.ts"
import * as RequestLog from "./internal/RequestLog.ts"
import * as Script from "./internal/Script.ts"
import type { RecordedRequest } from "./RecordedRequest.ts"

/**
 * Whom a token was given to, and for what.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Grant {
  readonly path: string
  readonly durationSeconds: number
  readonly scope: unknown
  readonly sessionName: string | undefined
  readonly sessionContext: unknown
}

/**
 * A running endpoint.
 *
 * @stability unstable
 * @category services
 * @since 0.1.0
 */
export class CozeOAuth extends Context.Service<CozeOAuth, {
  /** Where an app asks for its own account. */
  readonly tokenEndpoint: string
  /** What `aud` must be. */
  readonly audience: string
  /** The private key of the app that {@link CozeOAuth} made for itself, PKCS#8 in PEM. */
  readonly privateKey: string
  /** The environment of an issuer for that app. */
  readonly env: Readonly<Record<string, string>>
  /** Everything that has arrived so far, oldest first. */
  readonly requests: Effect.Effect<ReadonlyArray<RecordedRequest>>
  /** Waits until the log satisfies a condition, and returns it. */
  readonly requestsUntil: (
    condition: (requests: ReadonlyArray<RecordedRequest>) => boolean
  ) => Effect.Effect<ReadonlyArray<RecordedRequest>>
  /** What a token was given for. */
  readonly grantOf: (accessToken: string) => Effect.Effect<Grant | undefined>
  /** Changes how the endpoint behaves from now on. */
  readonly behave: (behaviour: Partial<Behaviour>) => Effect.Effect<void>
  /**
   * The next requests are answered like this, one each, in this order. An answer that nobody came for is a defect when the
   * endpoint stops.
   */
  readonly script: (...answers: ReadonlyArray<Answer.Answer>) => Effect.Effect<void>
}>()("@effect-identity/testing/CozeOAuth") {}

/**
 * How it answers. It can be changed while it runs.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Behaviour {
  /** Time before each answer. @default zero */
  readonly delay: Duration.Input
}

/**
 * The apps it knows, the audience it expects, and how it answers at first.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Options extends Partial<Behaviour> {
  /** Apps besides the one that {@link CozeOAuth} makes for itself. */
  readonly apps?: ReadonlyArray<Assertions.App> | undefined
  /** @default "api.coze.cn" */
  readonly audience?: string | undefined
}

const base = "/api/permission/oauth2"

const paths = new RegExp(`^${base}/(?:(?:account|enterprise_id)/[\\w-]+/)?token$`)

const refuse = (code: string, message: string, status = 400) =>
  Answer.json({ error_code: code, error_message: message, error: "" }, { status })

interface Body {
  readonly durationSeconds: number
  readonly scope: unknown
}

const read = ({ body, headers }: RecordedRequest): Body | string => {
  if (!headers["content-type"]?.startsWith("application/json")) return "body is not JSON"
  try {
    const { duration_seconds: duration = 900, grant_type: grantType, scope } = JSON.parse(body)
    if (grantType !== "urn:ietf:params:oauth:grant-type:jwt-bearer") return "grant_type is wrong"
    if (!Number.isInteger(duration) || duration < 1 || duration > 86_399) return "duration_seconds is wrong"
    return { durationSeconds: duration, scope }
  } catch {
    return "body is not JSON"
  }
}

const generateApp = () => {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
  return {
    clientId: "loopback-app",
    keyId: "loopback-key-fingerprint",
    publicKey: publicKey.export({ type: "spki", format: "pem" }).toString(),
    privateKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString()
  }
}

/**
 * Starts an endpoint on a free port of the loopback interface.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(options: Options = {}) {
  const server = yield* HttpServer.HttpServer
  const audience = options.audience ?? "api.coze.cn"
  const { privateKey, ...app } = generateApp()
  const assertions = Assertions.make([app, ...options.apps ?? []], audience)
  const log = yield* RequestLog.make
  const script = yield* Script.make
  const behaviour = yield* Ref.make<Behaviour>({ delay: options.delay ?? Duration.zero })
  const grants = new Map<string, Grant>()

  const issue = Effect.fnUntraced(function*(request: RecordedRequest) {
    const now = Math.floor((yield* Clock.currentTimeMillis) / 1000)
    const assertion = /^Bearer (.+)$/.exec(request.headers["authorization"] ?? "")?.[1] ?? ""
    const verdict = assertions.judge(assertion, now)
    if ("flaw" in verdict) return yield* refuse("invalid_client", `invalid jwt: ${verdict.flaw}`, 401)
    const body = read(request)
    if (typeof body === "string") return yield* refuse("invalid_request", body)
    const accessToken = `czs_${grants.size + 1}_${crypto.randomUUID().replaceAll("-", "")}`
    grants.set(accessToken, { path: request.path, ...body, ...verdict })
    return yield* Answer.json({
      access_token: accessToken,
      expires_in: now + body.durationSeconds,
      token_type: "Bearer"
    })
  })

  const answer = Effect.fnUntraced(function*(request: RecordedRequest) {
    const scripted = yield* script.next("jwtBearer")
    yield* Effect.sleep((yield* Ref.get(behaviour)).delay)
    if (scripted !== undefined) return yield* scripted
    if (!paths.test(request.path)) return HttpServerResponse.empty({ status: 404 })
    if (request.method !== "POST") return HttpServerResponse.empty({ status: 405 })
    return yield* issue(request)
  })

  const handle = Effect.gen(function*() {
    const recorded = yield* log.record(yield* HttpServerRequest.HttpServerRequest, () => "jwtBearer")
    // The server runs handlers uninterruptibly; this is what lets an answer end when its client goes away.
    const response = yield* Effect.interruptible(answer(recorded))
    return HttpServerResponse.setHeader(response, "x-tt-logid", `loopback-log-${recorded.id}`)
  })

  yield* Effect.addFinalizer(() => script.dieOfLeftovers)
  yield* server.serve(handle)
  const tokenEndpoint = `${HttpServer.formatAddress(server.address)}${base}/token`

  return CozeOAuth.of({
    tokenEndpoint,
    audience,
    privateKey,
    env: {
      CLIENT_ID: app.clientId,
      KID: app.keyId,
      PRIVATE_KEY: privateKey,
      AUDIENCE: audience,
      TOKEN_ENDPOINT: tokenEndpoint
    },
    requests: log.requests,
    requestsUntil: log.requestsUntil,
    grantOf: (accessToken) => Effect.sync(() => grants.get(accessToken)),
    behave: (change) => Ref.update(behaviour, (current) => ({ ...current, ...change })),
    script: (...answers) => script.order("jwtBearer", answers)
  })
})

/**
 * An endpoint that lives as long as the layer.
 *
 * @example
 * ```ts
 * import { CozeOAuth } from "@effect-identity/testing"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const coze = yield* CozeOAuth.CozeOAuth
 *   return (yield* Effect.promise(() => fetch(coze.tokenEndpoint, { method: "POST" }))).status
 * })
 *
 * Effect.runPromise(Effect.provide(program, CozeOAuth.layer())) // => 401
 * ```
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: Options): Layer.Layer<CozeOAuth> =>
  Layer.effect(CozeOAuth, make(options)).pipe(
    Layer.provide(NodeHttpServer.layerServer(createServer, {
      port: 0,
      host: "127.0.0.1",
      disablePreemptiveShutdown: true
    })),
    Layer.orDie
  )
