/**
 * What needs Node.
 *
 * @since 0.1.0
 */

export * as CaBundle from "./CaBundle.ts"
export * as CaBundleFile from "./CaBundleFile.ts"
export * as ClientSecretFile from "./ClientSecretFile.ts"
export * as NodeHttpAgent from "./NodeHttpAgent.ts"
export * as NodeHttpClient from "./NodeHttpClient.ts"
export * as NodeWorkloadIdentity from "./NodeWorkloadIdentity.ts"
export * as ProxyConfig from "./ProxyConfig.ts"
export * as ProxyHttpClient from "./ProxyHttpClient.ts"
