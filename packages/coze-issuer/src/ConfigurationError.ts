/**
 * What is wrong with the settings of an issuer.
 *
 * @since 0.1.0
 */
import type { Issue } from "@effect-identity/oauth/Setting"
import * as Data from "effect/Data"

/**
 * Settings are missing or cannot be used. `issues` lists every one of them, by name and never by value.
 *
 * @example
 * ```ts
 * import { ConfigurationError } from "@effect-identity/coze-issuer"
 *
 * const error = new ConfigurationError.ConfigurationError({ issues: [{ name: "KID", rule: "is missing" }] })
 * error.message // => "invalid configuration: KID is missing"
 * ```
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class ConfigurationError extends Data.TaggedError("ConfigurationError")<{
  readonly issues: ReadonlyArray<Issue>
}> {
  override get message(): string {
    return `invalid configuration: ${this.issues.map(({ name, rule }) => `${name} ${rule}`).join(", ")}`
  }
}
