/**
 * An address a credential may be sent to.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Result from "effect/Result"

/**
 * Why an address was refused. It names the rule and never quotes the address, which may hold a password.
 *
 * @stability stable
 * @category errors
 * @since 0.1.0
 */
export class InvalidUrl extends Data.TaggedError("InvalidUrl")<{ readonly rule: string }> {
  override get message(): string {
    return this.rule
  }
}

/**
 * An absolute address that passed {@link parse}: https, or http to this machine, with neither user info nor fragment.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export class SecureUrl extends Data.Class<{
  readonly href: string
  readonly hostname: string
  readonly port: number
}> {}

const isLoopback = (hostname: string): boolean =>
  hostname === "localhost" || hostname === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(hostname)

const refuse = (rule: string) => Result.fail(new InvalidUrl({ rule }))

/**
 * Reads an address that will receive credentials. Plain http is accepted for `localhost`, `127.0.0.0/8` and `[::1]`
 * only (RFC 6749 §3.2 asks for TLS); user info and fragments are refused.
 *
 * @example
 * ```ts
 * import { SecureUrl } from "@effect-identity/oauth"
 * import { Result } from "effect"
 *
 * Result.isSuccess(SecureUrl.parse("https://issuer.example/token")) // => true
 * Result.isSuccess(SecureUrl.parse("http://issuer.example/token")) // => false
 * ```
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const parse = (input: string | URL): Result.Result<SecureUrl, InvalidUrl> => {
  const url = URL.parse(String(input))
  if (url === null) return refuse("must be an absolute URL")
  if (url.username !== "" || url.password !== "") return refuse("must not contain user info")
  if (url.hash !== "") return refuse("must not contain a fragment")
  if (url.protocol !== "https:" && url.protocol !== "http:") return refuse("must be an https URL")
  if (url.protocol === "http:" && !isLoopback(url.hostname)) {
    return refuse("must be an https URL (http is accepted for loopback only)")
  }
  const standardPort = url.protocol === "https:" ? 443 : 80
  return Result.succeed(
    new SecureUrl({
      href: url.href,
      hostname: url.hostname,
      port: url.port === "" ? standardPort : Number(url.port)
    })
  )
}
