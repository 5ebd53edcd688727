/**
 * What needs Node.
 *
 * @since 0.1.0
 */

export * as NodeEnvironment from "./NodeEnvironment.ts"
export * as NodeIssuer from "./NodeIssuer.ts"
