/**
 * The rule for a lane.
 */
import * as Setting from "@effect-identity/oauth/Setting"
import * as Result from "effect/Result"
import * as EnvKeys from "../EnvKeys.ts"

/** A lane becomes a header, so it is held to what a header can carry. */
export const lane = (name: string, raw: string | undefined): Setting.Setting<string | undefined> => {
  if (Setting.isBlank(raw) || raw === EnvKeys.DEFAULT_COZE_SERVER_ENV) return Result.succeed(undefined)
  if (raw !== raw.trim()) return Setting.refuse(name, "must not begin or end with white space")
  return /^[\x20-\x7e]{1,256}$/.test(raw)
    ? Result.succeed(raw)
    : Setting.refuse(name, "must be at most 256 printable ASCII characters")
}
