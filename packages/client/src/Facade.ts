/**
 * What programs see.
 */

export type { Diagnosis, ProxyDiagnosis } from "@effect-identity/workload-identity/Diagnosis"
export type { Loaded, ProjectEnvVar } from "@effect-identity/workload-identity/ProjectEnvVars"
export {
  ConfigurationError,
  type ConfigurationIssue,
  OutboundAuthError,
  TokenExchangeError,
  TokenRetrievalError,
  WorkloadIdentityError
} from "@effect-identity/workload-identity/WorkloadIdentityError"
export { type CallOptions, Client, type ClientOptions } from "./Client.ts"
export { createHttpClient, http, type HttpClient, type HttpClientOptions } from "./HttpClient.ts"
export { ProjectEnvVars } from "./ProjectEnvVars.ts"
export { caBundlePath, httpsProxy } from "./Proxy.ts"
