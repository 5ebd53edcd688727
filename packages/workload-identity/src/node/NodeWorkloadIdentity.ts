/**
 * The identity of a workload on Node, ready to be provided.
 *
 * @since 0.1.0
 */
import * as TokenCache from "@effect-identity/oauth/TokenCache"
import * as Layer from "effect/Layer"
import * as Config from "../Config.ts"
import * as HttpClient from "../HttpClient.ts"
import * as Lane from "../Lane.ts"
import * as OutboundAuth from "../OutboundAuth.ts"
import * as WorkloadIdentity from "../WorkloadIdentity.ts"
import type { ConfigurationError } from "../WorkloadIdentityError.ts"
import * as ClientSecretFile from "./ClientSecretFile.ts"
import * as NodeHttpClient from "./NodeHttpClient.ts"

/**
 * The identity over `node:http`, with configuration and cache left open.
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layerNodeHttp: Layer.Layer<
  WorkloadIdentity.WorkloadIdentity,
  never,
  Config.WorkloadConfig | TokenCache.TokenCache
> = WorkloadIdentity.layer.pipe(
  Layer.provide(OutboundAuth.layer),
  Layer.provide(Lane.layer),
  Layer.provide(HttpClient.layer),
  Layer.provide(NodeHttpClient.layer)
)

/**
 * The identity the environment describes, over `node:http`, with the cache that all of this process shares.
 *
 * @example
 * ```ts
 * import { WorkloadIdentity } from "@effect-identity/workload-identity"
 * import { NodeWorkloadIdentity } from "@effect-identity/workload-identity/node"
 * import { ConfigProvider, Effect } from "effect"
 *
 * const program = WorkloadIdentity.WorkloadIdentity.use((identity) => identity.accessToken).pipe(
 *   Effect.provide(NodeWorkloadIdentity.layer),
 *   Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown({}))
 * )
 *
 * Effect.runSync(Effect.flip(program))._tag // => "ConfigurationError"
 * ```
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<WorkloadIdentity.WorkloadIdentity, ConfigurationError> = layerNodeHttp.pipe(
  Layer.provide(TokenCache.layer),
  Layer.provide(Config.layer({ readSecretFile: ClientSecretFile.read }))
)
