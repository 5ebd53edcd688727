/**
 * What Coze checks of an assertion before it believes it. Each is taken but once.
 */
import { createPublicKey, type KeyObject, verify } from "node:crypto"

export interface App {
  readonly clientId: string
  readonly keyId: string
  /** In PEM, SPKI. */
  readonly publicKey: string
}

export interface Claims {
  readonly sessionName: string | undefined
  readonly sessionContext: unknown
}

/** An assertion that is believed, or why it is not. */
export type Verdict = Claims | { readonly flaw: string }

const parse = (segment: string | undefined): Readonly<Record<string, unknown>> | undefined => {
  try {
    const value: unknown = JSON.parse(Buffer.from(segment ?? "", "base64url").toString())
    return typeof value === "object" && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}

const flaw = (flaw: string): Verdict => ({ flaw })

/** Clocks may differ by so many seconds. */
const tolerance = 60

export const make = (apps: ReadonlyArray<App>, audience: string) => {
  const keys = new Map<string, { readonly app: App; readonly key: KeyObject }>(
    apps.map((app) => [app.keyId, { app, key: createPublicKey(app.publicKey) }])
  )
  const used = new Set<unknown>()

  const judge = (assertion: string, nowSeconds: number): Verdict => {
    const [head, body, signature, ...rest] = assertion.split(".")
    const header = parse(head)
    const claims = parse(body)
    if (header === undefined || claims === undefined || signature === undefined || rest.length > 0) {
      return flaw("not a JWT")
    }
    if (header["alg"] !== "RS256" || header["typ"] !== "JWT") return flaw("alg or typ is wrong")
    const found = keys.get(String(header["kid"]))
    if (found === undefined) return flaw("kid is not registered")
    const signed = Buffer.from(`${head}.${body}`)
    if (!verify("sha256", signed, found.key, Buffer.from(signature, "base64url"))) return flaw("signature is wrong")
    const { aud, exp, iat, iss, jti, session_context, session_name } = claims
    if (iss !== found.app.clientId) return flaw("iss is not the app of the key")
    if (aud !== audience) return flaw("aud is wrong")
    if (typeof iat !== "number" || typeof exp !== "number" || exp <= iat) return flaw("iat or exp is wrong")
    if (iat > nowSeconds + tolerance || exp <= nowSeconds) return flaw("not valid at this time")
    if (typeof jti !== "string" || Buffer.from(jti, "base64url").length < 32) return flaw("jti is too short")
    if (used.has(jti)) return flaw("jti was used before")
    used.add(jti)
    return {
      sessionName: typeof session_name === "string" ? session_name : undefined,
      sessionContext: session_context
    }
  }

  return { judge }
}
