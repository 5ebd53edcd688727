/**
 * What an Effect program bundles of this, with `effect` itself: all layers over fetch, or the tag alone.
 */
import * as CompressedBundle from "./CompressedBundle.ts"

const programs = {
  layer: `
    import * as TokenCache from "@effect-identity/oauth/TokenCache"
    import * as Config from "@effect-identity/workload-identity/Config"
    import * as HttpClient from "@effect-identity/workload-identity/HttpClient"
    import * as Lane from "@effect-identity/workload-identity/Lane"
    import * as OutboundAuth from "@effect-identity/workload-identity/OutboundAuth"
    import * as WorkloadIdentity from "@effect-identity/workload-identity/WorkloadIdentity"
    import * as Layer from "effect/Layer"
    export const layer = WorkloadIdentity.layer.pipe(
      Layer.provide(OutboundAuth.layer),
      Layer.provide(Lane.layer),
      Layer.provide(HttpClient.layerFetch),
      Layer.provide(TokenCache.layer),
      Layer.provide(Config.layer())
    )
  `,
  tag: `
    import { WorkloadIdentity } from "@effect-identity/workload-identity/WorkloadIdentity"
    export const key = WorkloadIdentity.key
  `
}

export type Program = keyof typeof programs

/** Bytes of it. `directory` is where `effect` is found from, `alias` says where what is published of the packages lies. */
export const bytesOf = (
  program: Program,
  { alias, directory }: { readonly directory: string; readonly alias: Readonly<Record<string, string>> }
): Promise<number> =>
  CompressedBundle.bytesOf(programs[program], directory, { platform: "browser", resolve: { alias } })
