/**
 * A number of milliseconds, as an option.
 */
import type { ConfigurationIssue } from "@effect-identity/workload-identity/WorkloadIdentityError"

// Longer timers fire at once in JavaScript.
const maximum = 2 ** 31 - 1

export const issueOf = (name: string, millis: number): ReadonlyArray<ConfigurationIssue> =>
  typeof millis === "number" && millis >= 1 && millis <= maximum
    ? []
    : [{ name, rule: `must be a number of milliseconds from 1 to ${maximum}` }]
