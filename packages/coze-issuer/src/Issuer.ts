/**
 * The HTTP side of an issuer, for any runtime: a request in, a plain answer out.
 *
 * `POST /` takes the session from `X-User-ID`. `POST /v1/tokens` takes what is wanted as JSON; `OpenApi` describes it.
 * Every answer is for its caller alone: nothing may store it, and no page of another origin may read it.
 *
 * @since 0.1.0
 */
import * as AccessToken from "@effect-identity/oauth/AccessToken"
import type { OAuthError } from "@effect-identity/oauth/OAuthError"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { type Caller, Callers } from "./Callers.ts"
import { CozeApp } from "./CozeApp.ts"
import { CozeAppConfig } from "./CozeAppConfig.ts"
import * as Body from "./internal/Body.ts"
import * as OpenApi from "./OpenApi.ts"
import { type Code, fromOAuthError, Problem } from "./Problem.ts"
import * as TokenRequest from "./TokenRequest.ts"

/**
 * An answer, before any runtime has made a response of it.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Why there is no token, if there is none. */
  readonly code?: Code | undefined
}

/**
 * The HTTP API in front of an app: tokens for callers that are known.
 *
 * @stability unstable
 * @category services
 * @since 0.1.0
 */
export class Issuer extends Context.Service<Issuer, {
  /** Answers a request, whatever it is. */
  readonly handle: (request: Request) => Effect.Effect<Reply>
}>()("@effect-identity/coze-issuer/Issuer") {}

const json = (status: number, body: object, headers: Readonly<Record<string, string>> = {}): Reply => ({
  status,
  headers: {
    "content-type": status < 400 ? "application/json" : "application/problem+json",
    "cache-control": "no-store",
    "pragma": "no-cache",
    "x-content-type-options": "nosniff",
    ...headers
  },
  body: JSON.stringify(body)
})

/**
 * The answer that tells a problem (RFC 9457 §3).
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const fromProblem = ({ code, detail, headers, logId, status, upstreamCode }: Problem): Reply => ({
  ...json(status, {
    type: "about:blank",
    title: code.replaceAll("_", " "),
    status,
    code,
    detail,
    upstream_code: upstreamCode,
    log_id: logId
  }, { ...headers, ...(logId !== undefined && { "x-tt-logid": logId }) }),
  code
})

/**
 * A reply as a response of the web.
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const toResponse = ({ body, headers, status }: Reply): Response => new Response(body, { status, headers })

const invalid = (detail: string) => new Problem({ code: "invalid_request", detail })

const notAllowed = new Problem({ code: "session_not_allowed", detail: "the caller may not ask for this session" })

/** The session a caller gets that names this one, or none. */
const sessionFor = (caller: Caller, named: string | undefined): Effect.Effect<string | undefined, Problem> => {
  if (caller.sessions === "any") return Effect.succeed(named)
  if (caller.sessions === "none") return named === undefined ? Effect.succeed(undefined) : notAllowed
  return named === undefined || named === caller.sessions.only ? Effect.succeed(caller.sessions.only) : notAllowed
}

type Wanted = Parameters<typeof TokenRequest.check>[0]

const checked = (wanted: Wanted) => Effect.fromResult(TokenRequest.check(wanted))

/** The fields of `POST /v1/tokens`, and what they are called here. */
const fields = {
  session: "session",
  session_context: "sessionContext",
  duration_seconds: "durationSeconds",
  scope: "scope"
} as const

const toProblem = (error: Problem | OAuthError | TokenRequest.InvalidTokenRequest): Problem => {
  if (error._tag === "Problem") return error
  if (error._tag === "OAuthError") return fromOAuthError(error)
  const [field] = Object.entries(fields).find(([, option]) => option === error.field) ?? [error.field]
  return invalid(`${field} ${error.rule}`)
}

const fromBody = Effect.fnUntraced(function*(request: Request): Effect.fn.Return<Wanted, Problem> {
  const members = yield* Body.readObject(request)
  const names = Object.keys(fields)
  if ([...members.keys()].some((name) => !names.includes(name))) {
    return yield* invalid(`the body may have the fields ${names.join(", ")} and no others`)
  }
  return Object.fromEntries(Object.entries(fields).map(([name, option]) => [option, members.get(name)]))
})

/** A header is bytes, and what they mean beyond ASCII nobody knows. */
const fromHeader = Effect.fnUntraced(function*(request: Request): Effect.fn.Return<Wanted, Problem> {
  yield* Body.read(request)
  const session = request.headers.get("x-user-id") ?? undefined
  return session === undefined || /^[\x20-\x7e]{1,256}$/.test(session)
    ? { session }
    : yield* invalid("X-User-ID must be 1 to 256 printable ASCII characters")
})

const nameOf = (defect: unknown): string =>
  defect instanceof Error && /^\w{1,40}$/.test(defect.name) ? defect.name : typeof defect

/** What callers did wrong is theirs to see; what went wrong here or upstream is for operators. */
const report = ({ code, detail, logId, reason = detail, status, upstreamCode }: Problem): Effect.Effect<void> =>
  Effect.annotateLogs(
    status < 500 ? Effect.logDebug("request refused") : Effect.logWarning("no token could be given"),
    {
      "error.type": code,
      ...(reason !== undefined && { "error.message": reason }),
      ...(upstreamCode !== undefined && { "upstream.code": upstreamCode }),
      ...(logId !== undefined && { "request.id": logId })
    }
  )

/**
 * Makes the API of an app and its callers.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.gen(function*() {
  const app = yield* CozeApp
  const callers = yield* Callers
  const { durationSeconds: longest, scope: ownScope } = yield* CozeAppConfig

  /** Callers may have less than the issuer is configured to give, and never more. */
  const checkRights = (caller: Caller, wanted: TokenRequest.TokenRequest): Effect.Effect<void, Problem> => {
    if (wanted.sessionContext !== undefined && caller.sessions !== "any") return notAllowed
    if (wanted.scope !== undefined && ownScope !== undefined) return invalid("scope is set by the issuer")
    return wanted.durationSeconds !== undefined && wanted.durationSeconds > longest
      ? invalid(`duration_seconds must be at most ${longest}`)
      : Effect.void
  }

  const issue = Effect.fnUntraced(function*(
    request: Request,
    read: (request: Request) => Effect.Effect<Wanted, Problem>
  ): Effect.fn.Return<Reply, Problem> {
    yield* Body.checkLength(request.headers)
    const caller = yield* callers.authenticate({
      authorization: request.headers.get("authorization") ?? undefined,
      hostname: new URL(request.url).hostname
    })
    const wanted = yield* Effect.mapError(Effect.flatMap(read(request), checked), toProblem)
    yield* checkRights(caller, wanted)
    const session = yield* sessionFor(caller, wanted.session)
    const token = yield* Effect.mapError(app.token({ ...wanted, session }), toProblem)
    yield* Effect.annotateLogs(Effect.logDebug("token issued"), { caller: caller.name })
    return json(200, {
      access_token: Redacted.value(token.value),
      token_type: "Bearer",
      // Of what is left now, not of what was left when the token came.
      expires_in: Math.floor(Duration.toSeconds(yield* AccessToken.remaining(token))),
      expires_at: Math.floor(DateTime.toEpochMillis(token.expiresAt) / 1000)
    })
  })

  const routes = new Map<string, readonly [method: string, (request: Request) => Effect.Effect<Reply, Problem>]>([
    ["/", ["POST", (request) => issue(request, fromHeader)]],
    ["/v1/tokens", ["POST", (request) => issue(request, fromBody)]],
    ["/v1/openapi.json", ["GET", () => Effect.succeed(json(200, OpenApi.document))]],
    ["/v1/health", ["GET", () => Effect.succeed(json(200, { status: "ok" }))]]
  ])

  const route = (request: Request): Effect.Effect<Reply, Problem> => {
    const [method, answer] = routes.get(new URL(request.url).pathname) ?? []
    if (answer === undefined || method === undefined) return new Problem({ code: "not_found" })
    return request.method === method
      ? answer(request)
      : new Problem({ code: "method_not_allowed", headers: { allow: method } })
  }

  return Issuer.of({
    handle: (request) =>
      route(request).pipe(
        Effect.catchDefect((defect) => Effect.fail(new Problem({ code: "internal_error", detail: nameOf(defect) }))),
        Effect.tapError(report),
        Effect.catch((problem) => Effect.succeed(fromProblem(problem)))
      )
  })
})

/**
 * The API, with the app, its callers and the configuration left open.
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Issuer, never, CozeApp | Callers | CozeAppConfig> = Layer.effect(Issuer, make)
