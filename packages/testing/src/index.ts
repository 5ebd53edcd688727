/**
 * What stands in for the world in tests: on loopback, over real sockets.
 *
 * @since 0.1.0
 */

export * as Answer from "./Answer.ts"
export * as CognitoApi from "./CognitoApi.ts"
export * as ConnectProxy from "./ConnectProxy.ts"
export * as CozeOAuth from "./CozeOAuth.ts"
export * as GitHub from "./GitHub.ts"
export * as Platform from "./Platform.ts"
export * as RecordedRequest from "./RecordedRequest.ts"
export * as Relay from "./Relay.ts"
export * as SecretSweep from "./SecretSweep.ts"
export * as SpanRecorder from "./SpanRecorder.ts"
export * as WeChat from "./WeChat.ts"
