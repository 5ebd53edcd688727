/**
 * What a caller may want of a token, checked before anything is signed.
 *
 * @since 0.1.0
 */
import type { Setting } from "@effect-identity/oauth/Setting"
import * as Data from "effect/Data"
import * as Result from "effect/Result"
import * as Input from "./internal/Input.ts"

/**
 * Longest life of a token in seconds that Coze grants.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export const maximumDurationSeconds = 86_399

/**
 * What is wanted. All of it may be left out.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface TokenRequest {
  /** Whose conversations and variables the token is for (`session_name`): 1 to 256 characters, none of them a control. */
  readonly session?: string | undefined
  /** More about the session (`session_context`), for enterprise apps. Passed through as it is. */
  readonly sessionContext?: Input.JsonObject | undefined
  /** How long the token shall live, 1 to 86399 seconds. @default what the app is configured with */
  readonly durationSeconds?: number | undefined
  /** What of the app's rights the token has (`scope`), for channel apps. @default what the app is configured with */
  readonly scope?: Input.JsonObject | undefined
  /** The account the token is for, if not the app's own. */
  readonly accountId?: string | undefined
  /** The enterprise the token is for. Not together with an account. */
  readonly enterpriseId?: string | undefined
}

/**
 * A token was asked for in a way that cannot be met. Names the field and its rule, never the value.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class InvalidTokenRequest extends Data.TaggedError("InvalidTokenRequest")<{
  readonly field: keyof TokenRequest
  readonly rule: string
}> {
  override get message(): string {
    return `${this.field} ${this.rule}`
  }
}

// eslint-disable-next-line no-control-regex
const control = /[\x00-\x1f\x7f-\x9f\u2028\u2029]/

/** Whether a text can name a session. */
const isSession = (value: string): boolean =>
  value.trim() !== "" && value.length <= 256 && value.isWellFormed() && !control.test(value)

/**
 * The rule for identifiers of accounts and enterprises, which become part of an address.
 *
 * @internal
 */
export const identifier = (given: Input.Input) =>
  Input.matching(given, /^[\w-]{1,128}$/, "must be 1 to 128 letters, digits, _ or -")

const session = (given: Input.Input): Setting<string> =>
  typeof given.value === "string" && isSession(given.value)
    ? Result.succeed(given.value)
    : Input.refuse(given, "must be 1 to 256 characters, not blank, none of them a control character")

const durationSeconds = (given: Input.Input) => Input.wholeNumber(given, 1, maximumDurationSeconds)

const field = <A>(
  name: keyof TokenRequest,
  value: unknown,
  check: (given: Input.Input) => Setting<A>
): Result.Result<A | undefined, InvalidTokenRequest> =>
  value === undefined
    ? Result.succeed(undefined)
    : Result.mapError(check({ name, value }), ({ rule }) => new InvalidTokenRequest({ field: name, rule }))

/**
 * Checks what is wanted, whatever it is. Fails with what is wrong first.
 *
 * @example
 * ```ts
 * import { TokenRequest } from "@effect-identity/coze-issuer"
 * import { Result } from "effect"
 *
 * Result.isSuccess(TokenRequest.check({ session: "user123" })) // => true
 * Result.getOrThrow(Result.flip(TokenRequest.check({ durationSeconds: 86_400 }))).field // => "durationSeconds"
 * ```
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const check = (
  request: { readonly [field in keyof TokenRequest]: unknown }
): Result.Result<TokenRequest, InvalidTokenRequest> =>
  Result.gen(function*() {
    const checked: TokenRequest = {
      session: yield* field("session", request.session, session),
      sessionContext: yield* field("sessionContext", request.sessionContext, Input.jsonObject),
      durationSeconds: yield* field("durationSeconds", request.durationSeconds, durationSeconds),
      scope: yield* field("scope", request.scope, Input.jsonObject),
      accountId: yield* field("accountId", request.accountId, identifier),
      enterpriseId: yield* field("enterpriseId", request.enterpriseId, identifier)
    }
    return checked.accountId !== undefined && checked.enterpriseId !== undefined
      ? yield* Result.fail(new InvalidTokenRequest({ field: "enterpriseId", rule: "must not be given with accountId" }))
      : checked
  })
