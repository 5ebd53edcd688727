/**
 * What is wrong with the settings of an issuer.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"

/**
 * What is wrong with one setting: its name and the rule it breaks, never its value.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Issue {
  readonly name: string
  readonly rule: string
}

/**
 * Settings are missing or cannot be used. `issues` lists every one of them.
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
