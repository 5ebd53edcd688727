/**
 * The endpoint of GitHub where an app trades a JWT for a token of one of its installations, on a loopback socket.
 *
 * It verifies signature, issuer and times of the JWT and wants the headers that GitHub wants. It keeps a log of what arrived
 * and can be told to answer anything else.
 *
 * @since 0.1.0
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Layer from "effect/Layer"
import { createPublicKey, generateKeyPairSync, verify } from "node:crypto"
import { createServer } from "node:http"
import * as Answer from "./Answer.ts"
import * as RequestLog from "./internal/RequestLog.ts"
import * as Script from "./internal/Script.ts"
import type { RecordedRequest } from "./RecordedRequest.ts"

/**
 * GitHub on loopback, for one app with one installation.
 *
 * @stability unstable
 * @category services
 * @since 0.1.0
 */
export class GitHub extends Context.Service<GitHub, {
  readonly origin: string
  readonly appId: string
  readonly installationId: string
  /** The private key of the app, PKCS#1 in PEM as GitHub gives it. */
  readonly privateKey: string
  /** Everything that has arrived so far, oldest first. The step is `token`. */
  readonly requests: Effect.Effect<ReadonlyArray<RecordedRequest>>
  /** The next requests are answered like this, one each. One that nobody came for is a defect at the end. */
  readonly script: (...answers: ReadonlyArray<Answer.Answer>) => Effect.Effect<void>
}>()("@effect-identity/testing/GitHub") {}

const appId = "1234567"

const installationId = "7654321"

const longestLife = 10 * 60

const parse = (segment: string | undefined): Readonly<Record<string, unknown>> => {
  try {
    return { ...JSON.parse(Buffer.from(segment ?? "", "base64url").toString()) }
  } catch {
    return {}
  }
}

const refuse = (message: string, status = 401) => Answer.json({ message, status: String(status) }, { status })

/**
 * Starts it on a free port of the loopback interface.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.gen(function*() {
  const server = yield* HttpServer.HttpServer
  const pair = generateKeyPairSync("rsa", { modulusLength: 2048 })
  const publicKey = createPublicKey(pair.publicKey.export({ type: "spki", format: "pem" }))
  const log = yield* RequestLog.make
  const script = yield* Script.make
  let count = 0

  const flawOf = (jwt: string, now: number): string | undefined => {
    const [head, body, signature = ""] = jwt.split(".")
    const { exp, iat, iss } = parse(body)
    if (parse(head)["alg"] !== "RS256") return "A JSON web token could not be decoded"
    if (!verify("sha256", Buffer.from(`${head}.${body}`), publicKey, Buffer.from(signature, "base64url"))) {
      return "A JSON web token could not be decoded"
    }
    if (iss !== appId) return "Integration not found"
    if (typeof iat !== "number" || iat > now) return "'Issued at' claim ('iat') must be an Integer in the past"
    if (typeof exp !== "number" || exp <= now) return "'Expiration time' claim ('exp') must be in the future"
    return exp > now + longestLife ? "'Expiration time' claim ('exp') is too far in the future" : undefined
  }

  const answer = Effect.fnUntraced(function*(request: RecordedRequest) {
    const scripted = yield* script.next("token")
    if (scripted !== undefined) return yield* scripted
    const now = Math.floor((yield* Clock.currentTimeMillis) / 1000)
    if (request.headers["user-agent"] === undefined) {
      return yield* refuse("Request forbidden by administrative rules", 403)
    }
    const jwt = /^Bearer (.+)$/.exec(request.headers["authorization"] ?? "")?.[1] ?? ""
    const flaw = flawOf(jwt, now)
    if (flaw !== undefined) return yield* refuse(flaw)
    if (request.method !== "POST" || request.path !== `/app/installations/${installationId}/access_tokens`) {
      return yield* refuse("Not Found", 404)
    }
    return yield* Answer.json({
      token: `ghs_${++count}_${crypto.randomUUID().replaceAll("-", "")}`,
      expires_at: DateTime.formatIso(DateTime.makeUnsafe((now + 3600) * 1000)).replace(".000Z", "Z"),
      permissions: { contents: "read" }
    }, { status: 201 })
  })

  yield* Effect.addFinalizer(() => script.dieOfLeftovers)
  yield* server.serve(Effect.gen(function*() {
    const recorded = yield* log.record(yield* HttpServerRequest.HttpServerRequest, () => "token")
    // The server runs handlers uninterruptibly; this is what lets an answer end when its client goes away.
    return yield* Effect.interruptible(answer(recorded))
  }))

  return GitHub.of({
    origin: HttpServer.formatAddress(server.address),
    appId,
    installationId,
    privateKey: pair.privateKey.export({ type: "pkcs1", format: "pem" }).toString(),
    requests: log.requests,
    script: (...answers) => script.order("token", answers)
  })
})

/**
 * GitHub, as long as the layer lives.
 *
 * @example
 * ```ts
 * import { GitHub } from "@effect-identity/testing"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const { installationId, origin } = yield* GitHub.GitHub
 *   const url = `${origin}/app/installations/${installationId}/access_tokens`
 *   return (yield* Effect.promise(() => fetch(url, { method: "POST" }))).status
 * })
 *
 * Effect.runPromise(Effect.provide(program, GitHub.layer)) // => 401
 * ```
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<GitHub> = Layer.effect(GitHub, make).pipe(
  Layer.provide(NodeHttpServer.layerServer(createServer, {
    port: 0,
    host: "127.0.0.1",
    disablePreemptiveShutdown: true
  })),
  Layer.orDie
)
