/**
 * Everything behind the facade that stands on Effect or on Node's network, in one module, so that it can be loaded when it is
 * needed.
 */
export { make as makeEngine } from "./NodeEngine.ts"
export { caBundlePath, httpsProxy } from "./ProxyEnvironment.ts"
export { make as makeHttpClient } from "./ThirdParty.ts"
