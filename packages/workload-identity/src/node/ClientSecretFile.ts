/**
 * A client secret in a file, such as a mounted secret that is rotated by whoever mounted it.
 *
 * @since 0.1.0
 */
import * as Setting from "@effect-identity/oauth/Setting"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as EnvKeys from "../EnvKeys.ts"
import { ConfigurationError } from "../WorkloadIdentityError.ts"
import * as SettingFile from "./internal/SettingFile.ts"

const maximumBytes = 64 * 1024

const name = EnvKeys.COZE_WORKLOAD_IDENTITY_CLIENT_SECRET_FILE

/**
 * Reads the secret, every time it runs. One line break at its end is dropped.
 *
 * Fails with `ConfigurationError` when there is no regular file of at most 64 KiB at `path`, or no secret in it.
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const read = (path: string): Effect.Effect<Redacted.Redacted, ConfigurationError> =>
  Effect.suspend(() => {
    const secret = Result.flatMap(SettingFile.read(name, path, maximumBytes), (text) => Setting.secret(name, text))
    return Result.isSuccess(secret)
      ? Effect.succeed(secret.success)
      : Effect.fail(new ConfigurationError([secret.failure]))
  })
