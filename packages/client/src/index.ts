/**
 * Tokens for a Coze workload, for plain Node. A drop-in for `@coze/workload-identity`.
 *
 * @since 0.1.0
 */
import * as Machinery from "./Machinery.ts"
import { loadBy } from "./MachineryPlace.ts"

loadBy(() => Machinery)

export * as envKeys from "@effect-identity/workload-identity/EnvKeys"
export * from "./Facade.ts"
