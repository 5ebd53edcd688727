/**
 * The identity of a Coze workload.
 *
 * @since 0.1.0
 */

export { AccessToken, TokenCache } from "@effect-identity/oauth"
export * as ClientSecret from "./ClientSecret.ts"
export * as Config from "./Config.ts"
export * as Diagnosis from "./Diagnosis.ts"
export * as Environment from "./Environment.ts"
export * as EnvKeys from "./EnvKeys.ts"
export * as HttpClient from "./HttpClient.ts"
export * as Lane from "./Lane.ts"
export * as OutboundAuth from "./OutboundAuth.ts"
export * as ProjectEnvVars from "./ProjectEnvVars.ts"
export * as WorkloadIdentity from "./WorkloadIdentity.ts"
export * as WorkloadIdentityError from "./WorkloadIdentityError.ts"
