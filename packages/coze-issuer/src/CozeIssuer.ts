/**
 * The Promise side: tokens of a Coze app, and a handler for whatever serves web requests.
 *
 * @since 0.1.0
 */
import * as AccessToken from "@effect-identity/oauth/AccessToken"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as Callers from "./Callers.ts"
import { CozeApp } from "./CozeApp.ts"
import * as CozeAppConfig from "./CozeAppConfig.ts"
import * as Engine from "./internal/Engine.ts"
import { Issuer, toResponse } from "./Issuer.ts"
import type { TokenRequest } from "./TokenRequest.ts"

/**
 * The app, who may ask for its tokens, and what requests are sent with.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Options extends CozeAppConfig.Options {
  /** Who may ask {@link CozeIssuer.fetch} for tokens. @default nobody */
  readonly callers?: Callers.Options | undefined
  /** What sends requests, to Coze and for the keys of callers. @default the global one */
  readonly fetch?: typeof globalThis.fetch | undefined
}

/**
 * A token, as plain values.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface IssuedToken {
  readonly accessToken: string
  readonly tokenType: "Bearer"
  readonly expiresAt: Date
  /** Seconds left when it was handed out. */
  readonly expiresIn: number
}

/**
 * The issuer behind promises.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface CozeIssuer extends AsyncDisposable {
  /**
   * The token that a request describes: the remembered one while it is valid, otherwise a new one, asked for once however
   * many callers wait. Rejects with `OAuthError`, with `InvalidTokenRequest`, or with the reason of the signal.
   */
  readonly getAccessToken: (
    request?: TokenRequest,
    options?: { readonly signal?: AbortSignal | undefined }
  ) => Promise<IssuedToken>
  /** Answers a request to the HTTP API. Where requests are cut off once answered, pass what holds them open. */
  readonly fetch: (
    request: Request,
    context?: { readonly waitUntil: (work: Promise<void>) => void }
  ) => Promise<Response>
  /** Gives up what is under way. */
  readonly close: () => Promise<void>
}

const plain = Effect.fnUntraced(function*(token: AccessToken.AccessToken): Effect.fn.Return<IssuedToken> {
  return {
    accessToken: Redacted.value(token.value),
    tokenType: token.tokenType,
    expiresAt: DateTime.toDateUtc(token.expiresAt),
    expiresIn: Math.floor(Duration.toSeconds(yield* AccessToken.remaining(token)))
  }
})

/**
 * Makes an issuer of its own, with its own cache. Rejects with one `ConfigurationError` that lists everything that is
 * missing or wrong.
 *
 * @example
 * ```ts
 * import { createIssuer } from "@effect-identity/coze-issuer/CozeIssuer"
 * import { generateKeyPairSync } from "node:crypto"
 *
 * const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
 *
 * await using issuer = await createIssuer({
 *   clientId: "app",
 *   keyId: "fingerprint",
 *   privateKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
 *   fetch: async () => Response.json({ error_code: "access_deny", error_message: "app disabled" })
 * })
 *
 * const error = await issuer.getAccessToken({ session: "user123" }).catch((error) => error)
 * error.message // => "jwtBearer: code access_deny: app disabled (HTTP 200)"
 * ```
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const createIssuer = async ({ callers, fetch, ...app }: Options): Promise<CozeIssuer> => {
  const { close, run } = await Effect.runPromise(
    Effect.all({ app: CozeAppConfig.make(app), callers: Callers.make(callers ?? {}) }).pipe(
      Effect.flatMap(Engine.make),
      fetch === undefined ? identity : Effect.provideService(FetchHttpClient.Fetch, fetch),
      // A library writes nothing to its program's output.
      Effect.provide(Logger.layer([]))
    )
  )
  return {
    getAccessToken: (request, options) =>
      run(CozeApp.use((app) => Effect.flatMap(app.token(request), plain)), { signal: options?.signal }),
    fetch: async (request, context) =>
      toResponse(
        await run(Issuer.use((issuer) => issuer.handle(request)), {
          waitUntil: context === undefined ? undefined : (work) => context.waitUntil(work)
        })
      ),
    close,
    [Symbol.asyncDispose]: close
  }
}
