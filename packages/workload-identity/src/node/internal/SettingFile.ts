/**
 * A file that a setting names. It is opened without waiting, so that a pipe nobody writes to cannot hang us, and looked at
 * before it is read.
 */
import * as Result from "effect/Result"
import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs"
import type { ConfigurationIssue } from "../../WorkloadIdentityError.ts"

const refuse = (name: string, rule: string): Result.Result<never, ConfigurationIssue> => Result.fail({ name, rule })

/** The text of a file of at most so many bytes; `name` is what issues call the setting that named it. */
export const read = (
  name: string,
  path: string,
  maximumBytes: number
): Result.Result<string, ConfigurationIssue> => {
  let descriptor: number
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch {
    return refuse(name, "must be the path of a file that can be read")
  }
  try {
    const stats = fstatSync(descriptor)
    if (!stats.isFile()) return refuse(name, "must be the path of a regular file")
    if (stats.size > maximumBytes) return refuse(name, `must be a file of at most ${maximumBytes} bytes`)
    return Result.succeed(readFileSync(descriptor, "utf8"))
  } catch {
    return refuse(name, "must be the path of a file that can be read")
  } finally {
    closeSync(descriptor)
  }
}
