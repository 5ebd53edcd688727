/**
 * Why a server does not start.
 */
import * as Data from "effect/Data"

/** A sentence that names the setting and quotes no value. */
export class StartError extends Data.TaggedError("StartError")<{ readonly rule: string }> {
  override get message(): string {
    return this.rule
  }
}
