/**
 * JWTs that callers show instead of a key (RFC 7519, RFC 8725): their subject is the session.
 *
 * Issuer, audience and algorithms are pinned by the settings; nothing in a token chooses how it is verified.
 *
 * @since 0.1.0
 */
import type { Issue, Setting } from "@effect-identity/oauth/Setting"
import { WebCrypto } from "effect/crypto/WebCrypto"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { createRemoteJWKSet, customFetch, errors, jwtVerify, type JWTVerifyGetKey } from "jose"
import * as Input from "./internal/Input.ts"
import { Problem } from "./Problem.ts"

/**
 * Whose JWTs are believed. Exactly one of `jwksUrl`, `publicKey` and `secret` says how they are verified.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** `iss`. */
  readonly issuer: string
  /** `aud`: what callers call this issuer. */
  readonly audience: string
  /** Where the keys are, https. RS256 and ES256. */
  readonly jwksUrl?: string | URL | undefined
  /** The public key in PEM, SPKI. RS256 or ES256, whichever it is for. */
  readonly publicKey?: string | undefined
  /** The shared secret, at least 32 bytes. HS256. */
  readonly secret?: string | Redacted.Redacted | undefined
}

/** How a JWT is verified: its key, and the algorithms that key is for. */
interface Verifier {
  readonly key: CryptoKey | Uint8Array | JWTVerifyGetKey
  readonly algorithms: Array<string>
}

const fromJwks = Effect.fnUntraced(function*(given: Input.Input): Effect.fn.Return<Setting<Verifier>> {
  const fetch = yield* FetchHttpClient.Fetch
  return Result.map(Input.url(given), ({ href }) => ({
    key: createRemoteJWKSet(new URL(href), { [customFetch]: fetch }),
    algorithms: ["RS256", "ES256"]
  }))
})

const fromSecret = (given: Input.Input): Setting<Verifier> =>
  Result.flatMap(Input.secret(given), (secret) => {
    const key = new TextEncoder().encode(Redacted.value(secret).trim())
    return key.length >= 32
      ? Result.succeed({ key, algorithms: ["HS256"] })
      : Input.refuse(given, "must be at least 32 bytes")
  })

const publicKeys = [
  ["RS256", { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }],
  ["ES256", { name: "ECDSA", namedCurve: "P-256" }]
] as const

/** RFC 7518 §3.3. Smaller ones import, and verify nothing. */
const minimumBits = 2048

const isTooSmall = ({ algorithm }: CryptoKey): boolean =>
  "modulusLength" in algorithm && Number(algorithm.modulusLength) < minimumBits

const spki = /^-----BEGIN PUBLIC KEY-----([\w+/=\s]+)-----END PUBLIC KEY-----$/

const fromPublicKey = Effect.fnUntraced(function*(
  given: Input.Input
): Effect.fn.Return<Setting<Verifier>> {
  const { subtle } = yield* WebCrypto
  const [, content = ""] = spki.exec(String(given.value).replaceAll("\\n", "\n").trim()) ?? []
  const der = Base64.decode(content.replaceAll(/\s+/g, ""))
  const bytes = Uint8Array.from(Result.getOrElse(der, () => []))
  for (const [name, algorithm] of publicKeys) {
    const key = yield* Effect.option(
      Effect.tryPromise(() => subtle.importKey("spki", bytes, algorithm, false, ["verify"]))
    )
    if (key._tag === "None") continue
    return isTooSmall(key.value)
      ? Input.refuse(given, `must have at least ${minimumBits} bits`)
      : Result.succeed({ key: key.value, algorithms: [name] })
  }
  return Input.refuse(given, "must be a public RSA or P-256 key in PEM (-----BEGIN PUBLIC KEY-----)")
})

/**
 * What is checked of the settings and made of them.
 *
 * @internal
 */
export interface CallerJwt {
  /** The subject of a JWT that is believed. Fails with `Problem`. */
  readonly verify: (token: string) => Effect.Effect<string, Problem>
}

/** What it is that keeps a token from being verified, when it is not the token. */
const isUnavailable = (error: unknown): boolean =>
  !(error instanceof errors.JOSEError) || error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid
  || error.code === "ERR_JOSE_GENERIC"

/** The messages of these errors may quote what they are about; their codes are constants. */
const codeOf = (error: unknown): string => error instanceof errors.JOSEError ? error.code : "no connection"

/**
 * Seconds that the clock of whoever issued a JWT may differ from ours.
 */
const clockTolerance = 5

/**
 * @internal
 */
export const make = Effect.fnUntraced(function*(
  values: { readonly [option in keyof Options]?: unknown },
  nameOf: (option: keyof Options) => string
): Effect.fn.Return<CallerJwt, ReadonlyArray<Issue>> {
  const given = (option: keyof Options): Input.Input => ({ name: nameOf(option), value: values[option] })
  const ways = (["jwksUrl", "publicKey", "secret"] as const).filter((way) => !Input.isAbsent(given(way)))
  const [way] = ways
  const verifier = way === undefined || ways.length > 1
    ? Input.refuse(given("jwksUrl"), `or ${nameOf("publicKey")} or ${nameOf("secret")}, one of them, must be set`)
    : way === "jwksUrl"
    ? yield* fromJwks(given(way))
    : way === "secret"
    ? fromSecret(given(way))
    : yield* fromPublicKey(given(way))
  const issuer = Input.text(given("issuer"))
  const audience = Input.text(given("audience"))
  if (Result.isFailure(issuer) || Result.isFailure(audience) || Result.isFailure(verifier)) {
    const settings: ReadonlyArray<Setting<unknown>> = [issuer, audience, verifier]
    return yield* Effect.fail(settings.flatMap((setting) => Result.isFailure(setting) ? [setting.failure] : []))
  }
  const { algorithms, key } = verifier.success
  const rules = {
    algorithms,
    issuer: issuer.success,
    audience: audience.success,
    requiredClaims: ["exp", "sub"],
    clockTolerance
  }

  return {
    verify: Effect.fnUntraced(function*(token) {
      const currentDate = DateTime.toDateUtc(yield* DateTime.now)
      const { payload } = yield* Effect.tryPromise({
        try: () =>
          typeof key === "function"
            ? jwtVerify(token, key, { ...rules, currentDate })
            : jwtVerify(token, key, { ...rules, currentDate }),
        catch: (error) =>
          isUnavailable(error)
            ? new Problem({ code: "caller_keys_unavailable", reason: `keys of callers: ${codeOf(error)}` })
            : new Problem({ code: "invalid_token", reason: codeOf(error) })
      })
      return String(payload.sub)
    })
  }
})
