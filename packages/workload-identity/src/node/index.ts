/**
 * What needs Node.
 *
 * @since 0.1.0
 */

export * as NodeHttpAgent from "./NodeHttpAgent.ts"
export * as NodeWorkloadIdentity from "./NodeWorkloadIdentity.ts"
