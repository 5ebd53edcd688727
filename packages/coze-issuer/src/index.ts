/**
 * Tokens for a Coze OAuth app, handed to callers that are known.
 *
 * @since 0.1.0
 */

export * as ApiKeys from "./ApiKeys.ts"
export * as CallerJwt from "./CallerJwt.ts"
export * as Callers from "./Callers.ts"
export * as ConfigurationError from "./ConfigurationError.ts"
export * as CozeApp from "./CozeApp.ts"
export * as CozeAppConfig from "./CozeAppConfig.ts"
export * as CozeIssuer from "./CozeIssuer.ts"
export * as Environment from "./Environment.ts"
export * as Issuer from "./Issuer.ts"
export * as OpenApi from "./OpenApi.ts"
export * as Problem from "./Problem.ts"
export * as TokenRequest from "./TokenRequest.ts"
