/**
 * Options that cannot be used.
 *
 * @since 0.1.0
 */
import type * as Setting from "@effect-identity/oauth/Setting"
import * as Data from "effect/Data"

/**
 * Some options are missing or break a rule. `issues` lists every one of them, by name and never by value.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class ConfigurationError
  extends Data.TaggedError("ConfigurationError")<{ readonly issues: ReadonlyArray<Setting.Issue> }>
{
  override get message(): string {
    return `Invalid configuration: ${this.issues.map(({ name, rule }) => `${name} ${rule}`).join(", ")}`
  }
}
