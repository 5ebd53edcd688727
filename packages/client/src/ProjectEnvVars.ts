/**
 * The variables of a project, as plain text.
 */
import { type Loaded, loadInto, ProjectEnvVars as Variables } from "@effect-identity/workload-identity/ProjectEnvVars"

/**
 * A collection of variables, in the order of the platform: iterate it, or look a key up with `get`, `getOrThrow` and
 * `has`. When a key occurs more than once, look-ups find the first.
 *
 * @example
 * ```ts
 * import { Client } from "@effect-identity/client"
 *
 * const vars = await new Client().getProjectEnvVars()
 * vars.get("NO_SUCH_VARIABLE", "default") // => "default"
 * vars.loadIntoEnv({ override: false }).loaded // => []
 * ```
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export class ProjectEnvVars extends Variables<string> {
  /** Writes them into `process.env`. Values that are there already stay, unless told to `override` them. */
  loadIntoEnv(options?: { readonly override?: boolean | undefined }): Loaded {
    return loadInto(process.env, this, options)
  }
}
