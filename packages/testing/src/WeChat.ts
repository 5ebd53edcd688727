/**
 * The token endpoints of WeChat and WeCom on a loopback socket.
 *
 * They answer HTTP 200 whatever happens and say in `errcode` what did. `/cgi-bin/token` gives a new token each time, which
 * ends the one before after an overlap; `/cgi-bin/stable_token` gives the same one until it is nearly over, unless it is
 * forced; `/cgi-bin/gettoken` of WeCom gives the same one while it lives. `/cgi-bin/get_api_domain_ip` takes a token and says
 * whether it is good. It keeps a log of what arrived and can be told to answer anything else.
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
import * as TokenBook from "./internal/TokenBook.ts"
import type { RecordedRequest } from "./RecordedRequest.ts"

/**
 * How it answers. It can be changed while it runs.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Behaviour {
  /** Life of tokens. @default 2 hours */
  readonly lifetime: Duration.Input
  /** How long a token lives on once there is a new one. @default 5 minutes */
  readonly overlap: Duration.Input
  /** Time before each answer. @default zero */
  readonly delay: Duration.Input
  /** Tokens that an app is given at most. @default 2000 */
  readonly quota: number
}

/**
 * Its only app, and how it answers at first.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Options extends Partial<Behaviour> {
  /** @default "loopback-appid" */
  readonly appId?: string | undefined
  /** @default "loopback-appsecret" */
  readonly appSecret?: string | undefined
  /** @default a free one */
  readonly port?: number | undefined
}

/**
 * WeChat and WeCom on loopback.
 *
 * @stability unstable
 * @category services
 * @since 0.1.0
 */
export class WeChat extends Context.Service<WeChat, {
  readonly origin: string
  /** `GET`, with `grant_type`, `appid` and `secret`: each new token ends the one before after the overlap. */
  readonly tokenUrl: string
  /** `POST`, with the same in JSON, and `force_refresh`. */
  readonly stableTokenUrl: string
  /** `GET`, with `corpid` and `corpsecret`. */
  readonly weComTokenUrl: string
  /** `GET`, with `access_token`: `errcode` 40001 when that is not good. */
  readonly apiUrl: string
  readonly appId: string
  readonly appSecret: string
  /** Everything that has arrived so far, oldest first. Steps are `token` and `resource`. */
  readonly requests: Effect.Effect<ReadonlyArray<RecordedRequest>>
  /** Waits until the log satisfies a condition, and returns it. */
  readonly requestsUntil: (
    condition: (requests: ReadonlyArray<RecordedRequest>) => boolean
  ) => Effect.Effect<ReadonlyArray<RecordedRequest>>
  /** Every token that was given, oldest first. */
  readonly issued: Effect.Effect<ReadonlyArray<string>>
  /** Whether a token is good at this moment. */
  readonly isGood: (token: string) => Effect.Effect<boolean>
  /** Changes how it behaves from now on. */
  readonly behave: (behaviour: Partial<Behaviour>) => Effect.Effect<void>
  /** The next requests of this step are answered like this, one each. One that nobody came for is a defect at the end. */
  readonly script: (step: "token" | "resource", ...answers: ReadonlyArray<Answer.Answer>) => Effect.Effect<void>
  /** From now on, no token that was given so far is good. */
  readonly revokeTokens: Effect.Effect<void>
}>()("@effect-identity/testing/WeChat") {}

/**
 * How WeChat and WeCom say no.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const refusal = (errcode: number, errmsg: string): Answer.Answer => Answer.json({ errcode, errmsg })

const paths = {
  token: "/cgi-bin/token",
  stable: "/cgi-bin/stable_token",
  weCom: "/cgi-bin/gettoken",
  api: "/cgi-bin/get_api_domain_ip"
}

const parse = (body: string): ReadonlyMap<string, unknown> => {
  try {
    return new Map(Object.entries(JSON.parse(body) ?? {}))
  } catch {
    return new Map()
  }
}

interface Asked {
  readonly path: string
  readonly get: (name: string) => unknown
}

const askedBy = ({ body, path }: RecordedRequest): Asked => {
  const url = new URL(path, "http://loopback")
  const json = parse(body)
  return {
    path: url.pathname,
    get: (name) => url.pathname === paths.stable ? json.get(name) : url.searchParams.get(name)
  }
}

/**
 * Starts it on a free port of the loopback interface.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(options: Options = {}) {
  const server = yield* HttpServer.HttpServer
  const { appId = "loopback-appid", appSecret = "loopback-appsecret" } = options
  const log = yield* RequestLog.make
  const script = yield* Script.make
  const book = TokenBook.make()
  const behaviour = yield* Ref.make<Behaviour>({
    lifetime: options.lifetime ?? "2 hours",
    overlap: options.overlap ?? "5 minutes",
    delay: options.delay ?? Duration.zero,
    quota: options.quota ?? 2000
  })

  const flawOf = (asked: Asked, quota: number): Answer.Answer | undefined => {
    const isWeCom = asked.path === paths.weCom
    if (!isWeCom && asked.get("grant_type") !== "client_credential") return refusal(40_002, "invalid grant_type")
    if (asked.get(isWeCom ? "corpid" : "appid") !== appId) return refusal(40_013, "invalid appid")
    if (asked.get(isWeCom ? "corpsecret" : "secret") !== appSecret) {
      return isWeCom ? refusal(40_001, "invalid credential") : refusal(40_125, "invalid appsecret")
    }
    return book.tokens.length >= quota ? refusal(45_009, "reach max api daily quota limit") : undefined
  }

  const issue = (asked: Asked, now: number, { lifetime, overlap }: Behaviour): Answer.Answer => {
    const terms = { now, lifetime: Duration.toMillis(lifetime), overlap: Duration.toMillis(overlap) }
    const { expiresAt, token } = asked.path === paths.token
      ? book.replace("token", terms)
      : asked.path === paths.weCom
      ? book.keep("weCom", { ...terms, overlap: 0 })
      : asked.get("force_refresh") === true
      ? book.replace("stable", { ...terms, overlap: 0 })
      : book.keep("stable", terms)
    const given = { access_token: token, expires_in: Math.floor((expiresAt - now) / 1000) }
    return Answer.json(asked.path === paths.weCom ? { errcode: 0, errmsg: "ok", ...given } : given)
  }

  const answer = Effect.fnUntraced(function*(request: RecordedRequest) {
    const scripted = yield* script.next(request.step)
    const current = yield* Ref.get(behaviour)
    yield* Effect.sleep(current.delay)
    if (scripted !== undefined) return yield* scripted
    const asked = askedBy(request)
    const now = yield* Clock.currentTimeMillis
    if (asked.path === paths.api) {
      return yield* book.isGood(String(asked.get("access_token")), now)
        ? Answer.json({ ip_list: ["127.0.0.1"] })
        : refusal(40_001, "invalid credential, access_token is invalid or not latest")
    }
    if (request.step !== "token") return HttpServerResponse.empty({ status: 404 })
    if (request.method !== (asked.path === paths.stable ? "POST" : "GET")) return yield* refusal(43_001, "wrong method")
    return yield* flawOf(asked, current.quota) ?? issue(asked, now, current)
  })

  const stepOf = (path: string) =>
    [paths.token, paths.stable, paths.weCom].some((each) => path === each || path.startsWith(`${each}?`))
      ? "token" as const
      : "resource" as const

  const handle = Effect.gen(function*() {
    const recorded = yield* log.record(yield* HttpServerRequest.HttpServerRequest, stepOf)
    // The server runs handlers uninterruptibly; this is what lets an answer end when its client goes away.
    return yield* Effect.interruptible(answer(recorded))
  })

  yield* Effect.addFinalizer(() => script.dieOfLeftovers)
  yield* server.serve(handle)
  const origin = HttpServer.formatAddress(server.address)

  return WeChat.of({
    origin,
    tokenUrl: origin + paths.token,
    stableTokenUrl: origin + paths.stable,
    weComTokenUrl: origin + paths.weCom,
    apiUrl: origin + paths.api,
    appId,
    appSecret,
    requests: log.requests,
    requestsUntil: log.requestsUntil,
    issued: Effect.sync(() => [...book.tokens]),
    isGood: (token) => Effect.map(Clock.currentTimeMillis, (now) => book.isGood(token, now)),
    behave: (change) => Ref.update(behaviour, (current) => ({ ...current, ...change })),
    script: (step, ...answers) => script.order(step, answers),
    revokeTokens: Effect.sync(() => book.revokeAll())
  })
})

/**
 * WeChat and WeCom, as long as the layer lives.
 *
 * @example
 * ```ts
 * import { WeChat } from "@effect-identity/testing"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const { tokenUrl } = yield* WeChat.WeChat
 *   const response = yield* Effect.promise(() => fetch(`${tokenUrl}?grant_type=client_credential&appid=nobody`))
 *   return yield* Effect.promise(() => response.json())
 * })
 *
 * Effect.runPromise(Effect.provide(program, WeChat.layer())) // => { errcode: 40013, errmsg: "invalid appid" }
 * ```
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: Options): Layer.Layer<WeChat> =>
  Layer.effect(WeChat, make(options)).pipe(
    Layer.provide(NodeHttpServer.layerServer(createServer, {
      port: options?.port ?? 0,
      host: "127.0.0.1",
      disablePreemptiveShutdown: true
    })),
    Layer.orDie
  )
