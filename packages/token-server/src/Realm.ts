/**
 * An upstream provider of tokens, as data.
 *
 * @since 0.1.0
 */
import type * as SecureUrl from "@effect-identity/oauth/SecureUrl"
import type { Issue } from "@effect-identity/oauth/Setting"
import type * as Duration from "effect/Duration"
import type * as Result from "effect/Result"
import * as Decoding from "./internal/realm/Decoding.ts"
import * as Lease from "./internal/realm/Lease.ts"

/**
 * What is sent: as it is, or what the secret has under a name (`key_1`).
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Value = { readonly key: string } | { readonly literal: string | number | boolean }

/**
 * One thing that is sent, and where it stands.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Argument {
  readonly name: string
  readonly place: "url" | "header" | "body" | "path"
  readonly value: Value
  /** Whether it is sent only when a new token is forced. */
  readonly isForForced: boolean
}

/**
 * How the client says who it is.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type ClientAuthentication =
  | {
    readonly method: "client_secret_basic" | "client_secret_post"
    readonly clientId: Value
    readonly clientSecret: Value
  }
  | {
    readonly method: "bearer_jwt"
    readonly issuer: Value
    readonly privateKey: Value
    readonly keyId: Value | undefined
    readonly audience: Value | undefined
    readonly lifetime: Duration.Duration
    readonly backdate: Duration.Duration
  }

/**
 * Names of own members, and places in lists.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Path = ReadonlyArray<string>

/**
 * How an answer says no: what stands at `path` is there and is not one of `success`.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface ErrorPredicate {
  readonly path: Path
  readonly success: ReadonlyArray<string>
  readonly retryable: ReadonlyArray<string>
}

/**
 * Where in the answer the life of the token stands, and how it is told. `standard` is for answers that do not say.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Life {
  readonly path: Path | undefined
  readonly unit: "seconds" | "milliseconds" | "unix_seconds" | "unix_milliseconds" | "date_time"
  readonly standard: Duration.Duration | undefined
}

/**
 * The token is what the secret has under a name, and no request is made.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Fixed {
  readonly _tag: "Fixed"
  readonly token: Value
  readonly lifetime: Duration.Duration
}

/**
 * The token is asked for.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Request {
  readonly _tag: "Request"
  readonly url: SecureUrl.SecureUrl
  readonly method: "GET" | "POST"
  readonly arguments: ReadonlyArray<Argument>
  readonly contentType: "json" | "text" | "form"
  readonly clientAuthentication: ClientAuthentication | undefined
  readonly tokenPath: Path
  readonly life: Life
  /** Undefined where the usual ones are looked for: `error`, `errcode`, `error_code`, `code`. */
  readonly errors: ReadonlyArray<ErrorPredicate> | undefined
  readonly exchange: { readonly url: SecureUrl.SecureUrl; readonly clientId: Value } | undefined
}

/**
 * What besides public addresses may be connected to, as it was written.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Egress {
  readonly privateAddresses: ReadonlyArray<string>
}

/**
 * A realm as it is used: decoded, its rules checked, its defaults filled in.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Realm {
  readonly id: string
  readonly comment: string
  /** Grows with every change. */
  readonly version: number
  /** The whole request to the upstream, from the queue and resolving its name to the last byte. */
  readonly timeout: Duration.Duration
  /** Requests to the upstream at once, per server. */
  readonly concurrency: number
  /** How long the token before stays valid once a new one is issued; undefined where tokens do not end each other. */
  readonly overlap: Duration.Duration | undefined
  /** How many forced refreshes of a key there may be in a window. */
  readonly refreshBudget: { readonly limit: number; readonly window: Duration.Duration }
  readonly source: Fixed | Request
  readonly egress: Egress
  /** The names under which a secret of this realm must have values, sorted. */
  readonly keys: ReadonlyArray<string>
}

/**
 * How long a server that asks for a token of a realm holds the right to: half as long again as `timeout`, and half a second
 * more than that at least. With the deadline of the next holder it is less than the realm's overlap.
 *
 * @example
 * ```ts
 * import { Realm } from "@effect-identity/token-server"
 * import { Duration } from "effect"
 *
 * Duration.toMillis(Realm.lease({ timeout: Duration.seconds(10) })) // => 15000
 * ```
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const lease = ({ timeout }: Pick<Realm, "timeout">): Duration.Duration => Lease.of(timeout)

/**
 * Reads `{ id, comment, version, config }`, of which `comment` and `version` may be missing, or tells everything that is
 * wrong with it, by the path of each field. Nothing in the issues quotes a value.
 *
 * @example
 * ```ts
 * import { Realm } from "@effect-identity/token-server"
 * import { Result } from "effect"
 *
 * const realm = Result.getOrThrow(Realm.decode({ id: "corp", config: { preset: "wecom" } }))
 * realm.keys // => ["key_1", "key_2"]
 *
 * const config = { url: "http://169.254.169.254/", arguments: [], token_path: "token", expires_in: 60 }
 * const issues = Result.getOrThrow(Result.flip(Realm.decode({ id: "corp", config })))
 * issues.map(({ name }) => name) // => ["config.url"]
 * ```
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const decode = (input: unknown): Result.Result<Realm, ReadonlyArray<Issue>> => Decoding.decode(input)
