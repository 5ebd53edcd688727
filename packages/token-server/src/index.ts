/**
 * One place that holds the secrets of upstream APIs and hands out their tokens.
 *
 * @since 0.1.0
 */

export * as Api from "./Api.ts"
export * as Presets from "./Presets.ts"
export * as Problem from "./Problem.ts"
export * as Realm from "./Realm.ts"
export * as RealmConfig from "./RealmConfig.ts"
export * as Settings from "./Settings.ts"
export * as TokenServer from "./TokenServer.ts"
export * as TokenServerClient from "./TokenServerClient.ts"
