/**
 * The credentials of HTTP Basic (RFC 7617) as RFC 6749 §2.3.1 wants them: both parts form-encoded (appendix B), so that a
 * colon or a letter beyond ASCII arrives as it left.
 *
 * @since 0.1.0
 */
import * as Base64 from "effect/encoding/Base64"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Redacted from "effect/Redacted"
import type { Attempt } from "./TokenEndpoint.ts"

const encode = (value: string): string => new URLSearchParams({ value }).toString().slice("value=".length)

/**
 * A request with the credentials in its header. The header is one more secret.
 *
 * @example
 * ```ts
 * import { BasicCredentials } from "@effect-identity/oauth"
 * import { Redacted } from "effect"
 * import { HttpClientRequest } from "effect/http"
 *
 * const attempt = { request: HttpClientRequest.post("https://issuer.example/token"), secrets: [] }
 *
 * const { request } = BasicCredentials.apply(attempt, "app", Redacted.make("s:cret"))
 * request.headers["authorization"] // => "Basic YXBwOnMlM0FjcmV0"
 * ```
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const apply = ({ request, secrets }: Attempt, clientId: string, clientSecret: Redacted.Redacted): Attempt => {
  const credentials = Base64.encode(`${encode(clientId)}:${encode(Redacted.value(clientSecret))}`)
  return {
    request: HttpClientRequest.setHeader(request, "authorization", `Basic ${credentials}`),
    secrets: [...secrets, clientSecret, Redacted.make(credentials)]
  }
}
