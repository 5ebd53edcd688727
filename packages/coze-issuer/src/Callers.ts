/**
 * Who may have tokens, and of which sessions.
 *
 * Callers show an API key or a JWT as a bearer (RFC 6750 §2.1). Nobody else gets anything, unless the issuer is told to be
 * open, and then only at an address of this very machine.
 *
 * @since 0.1.0
 */
import type { Issue } from "@effect-identity/oauth/Setting"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ApiKeys from "./ApiKeys.ts"
import * as CallerJwt from "./CallerJwt.ts"
import { ConfigurationError } from "./ConfigurationError.ts"
import { Problem } from "./Problem.ts"

/**
 * Someone who may have tokens: of one session, of any, or of none in particular.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Caller {
  readonly name: string
  readonly sessions: "any" | "none" | { readonly only: string }
}

/**
 * What of a request tells who sent it.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Credentials {
  /** The `Authorization` header. */
  readonly authorization: string | undefined
  /** Whom the request was sent to, as the host of its URL. */
  readonly hostname: string
}

/**
 * Who may have tokens.
 *
 * @stability unstable
 * @category services
 * @since 0.1.0
 */
export class Callers extends Context.Service<Callers, {
  /** Who it is. Fails with `Problem`: `unauthenticated`, `invalid_token`, or `caller_keys_unavailable`. */
  readonly authenticate: (credentials: Credentials) => Effect.Effect<Caller, Problem>
}>()("@effect-identity/coze-issuer/Callers") {}

/**
 * How callers say who they are. Without any, nobody is let in.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly apiKeys?: ReadonlyArray<ApiKeys.ApiKey> | undefined
  readonly jwt?: CallerJwt.Options | undefined
  /**
   * Whether callers who show nothing may have tokens of any session, where the request was sent to `localhost`,
   * `127.0.0.0/8` or `[::1]`. For trying things out on one's own machine. @default false
   */
  readonly openOnLoopback?: boolean | undefined
}

/**
 * Whether a host name is one of this machine.
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const isLoopback = (hostname: string): boolean =>
  hostname === "localhost" || hostname === "[::1]" || hostname === "::1" || /^127(?:\.\d{1,3}){3}$/.test(hostname)

const realm = "Bearer realm=\"coze-issuer\""

/** RFC 6750 §3.1: who shows nothing is told no error. */
const unauthenticated = new Problem({ code: "unauthenticated", headers: { "www-authenticate": realm } })

const invalidToken = (reason?: string): Problem =>
  new Problem({
    code: "invalid_token",
    headers: { "www-authenticate": `${realm}, error="invalid_token"` },
    reason
  })

const openCaller: Caller = { name: "open", sessions: "any" }

/** Longer ones are not looked at. */
const bearer = /^bearer +([\w.~+/=-]{1,8192}) *$/i

/**
 * Settings as they were found, and what each is called where it was found.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Found {
  readonly apiKeys: ReadonlyArray<ApiKeys.ApiKey>
  readonly jwt: { readonly [option in keyof CallerJwt.Options]?: unknown } | undefined
  readonly openOnLoopback: boolean
  readonly issues: ReadonlyArray<Issue>
  readonly nameOf: (option: keyof CallerJwt.Options) => string
}

/**
 * Checks settings wherever they were found. Fails with one `ConfigurationError` that lists every issue.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const fromFound = Effect.fnUntraced(function*(
  { apiKeys, issues, jwt: jwtValues, nameOf, openOnLoopback }: Found
): Effect.fn.Return<Callers["Service"], ConfigurationError> {
  const jwt = jwtValues === undefined
    ? undefined
    : yield* CallerJwt.make(jwtValues, nameOf).pipe(
      Effect.mapError((found) => new ConfigurationError({ issues: [...issues, ...found] }))
    )
  if (issues.length > 0) return yield* new ConfigurationError({ issues })

  const authenticate = Effect.fnUntraced(function*(
    { authorization, hostname }: Credentials
  ): Effect.fn.Return<Caller, Problem> {
    if (authorization === undefined) {
      return openOnLoopback && isLoopback(hostname) ? openCaller : yield* unauthenticated
    }
    const [, presented] = bearer.exec(authorization) ?? []
    if (presented === undefined) return yield* /^bearer\b/i.test(authorization) ? invalidToken() : unauthenticated
    const found = yield* ApiKeys.find(apiKeys, presented)
    if (found !== undefined) return { name: found.name, sessions: found.sessions === true ? "any" : "none" }
    if (jwt === undefined || presented.split(".").length !== 3) return yield* invalidToken()
    const subject = yield* Effect.mapError(
      jwt.verify(presented),
      (problem) => problem.code === "invalid_token" ? invalidToken(problem.reason) : problem
    )
    return { name: "jwt", sessions: { only: subject } }
  })

  return Callers.of({ authenticate })
})

/**
 * Checks who may have tokens. Nobody may, where nobody is named.
 *
 * @example
 * ```ts
 * import { Callers } from "@effect-identity/coze-issuer"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const callers = yield* Callers.make({})
 *   return yield* Effect.flip(callers.authenticate({ authorization: undefined, hostname: "localhost" }))
 * })
 *
 * const problem = await Effect.runPromise(program)
 * problem.code // => "unauthenticated"
 * ```
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options): Effect.Effect<Callers["Service"], ConfigurationError> =>
  fromFound({
    apiKeys: options.apiKeys ?? [],
    jwt: options.jwt,
    openOnLoopback: options.openOnLoopback ?? false,
    issues: (options.apiKeys ?? []).flatMap(({ digest }, index) =>
      ApiKeys.isDigest(digest) ? [] : [{ name: `apiKeys[${index}].digest`, rule: "must be 64 hexadecimal digits" }]
    ),
    nameOf: (option) => `jwt.${option}`
  })

/**
 * The callers of these options. Fails with `ConfigurationError`, which lists everything that is wrong.
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<Callers, ConfigurationError> =>
  Layer.effect(Callers, make(options))
